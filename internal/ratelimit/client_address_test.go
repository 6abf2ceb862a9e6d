package ratelimit_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
)

func request(remote string, forwarded ...string) *http.Request {
	r := &http.Request{RemoteAddr: remote, Header: http.Header{}}
	for _, line := range forwarded {
		r.Header.Add("X-Forwarded-For", line)
	}

	return r
}

func proxies() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:aa::/48")}
}

func TestClientAddr(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		remote    string
		forwarded []string
		want      string
	}{
		"no header":                         {"192.0.2.1:1234", nil, "192.0.2.1"},
		"untrusted peer":                    {"192.0.2.1:1234", []string{"198.51.100.7"}, "192.0.2.1"},
		"trusted peer without header":       {"10.0.0.1:1234", nil, "10.0.0.1"},
		"trusted peer with an empty header": {"10.0.0.1:1234", []string{""}, "10.0.0.1"},
		"one hop":                           {"10.0.0.1:1234", []string{"198.51.100.7"}, "198.51.100.7"},
		"what the client wrote is not read": {
			"10.0.0.1:1234", []string{"1.1.1.1, 198.51.100.7"}, "198.51.100.7",
		},
		"trusted hops are skipped": {
			"10.0.0.1:1234", []string{"1.1.1.1, 198.51.100.7, 10.2.2.2 ,\t10.3.3.3"}, "198.51.100.7",
		},
		"only trusted hops":            {"10.0.0.1:1234", []string{"10.2.2.2, 10.3.3.3"}, "10.2.2.2"},
		"lines are one list":           {"10.0.0.1:1234", []string{"198.51.100.7", "10.2.2.2"}, "198.51.100.7"},
		"the last line is the nearest": {"10.0.0.1:1234", []string{"10.2.2.2", "198.51.100.7"}, "198.51.100.7"},
		"garbage stops at the peer":    {"10.0.0.1:1234", []string{"198.51.100.7, unknown"}, "10.0.0.1"},
		"garbage stops at a hop":       {"10.0.0.1:1234", []string{"198.51.100.7, _x, 10.2.2.2"}, "10.2.2.2"},
		"an empty element is skipped":  {"10.0.0.1:1234", []string{"198.51.100.7, ,,10.2.2.2"}, "198.51.100.7"},
		"a trailing comma is skipped":  {"10.0.0.1:1234", []string{"198.51.100.7,"}, "198.51.100.7"},
		"only commas":                  {"10.0.0.1:1234", []string{",, ,"}, "10.0.0.1"},
		"an empty line is skipped":     {"10.0.0.1:1234", []string{"198.51.100.7", ""}, "198.51.100.7"},
		"half a bracket stops":         {"10.0.0.1:1234", []string{"[2001:db8::1"}, "10.0.0.1"},
		"a bad port stops":             {"10.0.0.1:1234", []string{"198.51.100.7:99999"}, "10.0.0.1"},
		"IPv4 with port":               {"10.0.0.1:1234", []string{"198.51.100.7:5555"}, "198.51.100.7"},
		"IPv6":                         {"10.0.0.1:1234", []string{"2001:db8::1"}, "2001:db8::1"},
		"IPv6 in brackets":             {"10.0.0.1:1234", []string{"[2001:db8::1]"}, "2001:db8::1"},
		"IPv6 with port":               {"10.0.0.1:1234", []string{"[2001:db8::1]:5555"}, "2001:db8::1"},
		"IPv6 with zone":               {"10.0.0.1:1234", []string{"fe80::1%eth0"}, "fe80::1"},
		"IPv4-mapped entry":            {"10.0.0.1:1234", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		"IPv4-mapped trusted hop":      {"10.0.0.1:1234", []string{"198.51.100.7, ::ffff:10.9.9.9"}, "198.51.100.7"},
		"IPv4-mapped trusted peer":     {"[::ffff:10.0.0.1]:1234", []string{"198.51.100.7"}, "198.51.100.7"},
		"IPv4-mapped untrusted peer":   {"[::ffff:192.0.2.1]:1234", []string{"198.51.100.7"}, "192.0.2.1"},
		"IPv6 trusted peer":            {"[2001:db8:aa::1]:1234", []string{"198.51.100.7"}, "198.51.100.7"},
		"IPv6 peer with zone":          {"[fe80::1%eth0]:1234", nil, "fe80::1"},
		"remote address without port":  {"192.0.2.1", nil, "192.0.2.1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got := ratelimit.ClientAddress(request(tt.remote, tt.forwarded...), proxies())
			if got != netip.MustParseAddr(tt.want) {
				t.Fatalf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestClientAddrOfNoAddress(t *testing.T) {
	t.Parallel()

	for _, remote := range []string{"", "@", "pipe", "example.com:80"} {
		if got := ratelimit.ClientAddress(request(remote, "198.51.100.7"), proxies()); got.IsValid() {
			t.Errorf("remote address %q gave %s, want the zero address", remote, got)
		}
	}
}

func FuzzClientAddr(f *testing.F) {
	f.Add("192.0.2.1:1234", "198.51.100.7", "")
	f.Add("10.0.0.1:1234", "1.1.1.1, 198.51.100.7", "10.2.2.2")
	f.Add("10.0.0.1:1234", "[2001:db8::1]:80, fe80::1%eth0", "::ffff:10.0.0.9")
	f.Add("[2001:db8:aa::1]:1234", "unknown, ,", "_hidden:9")
	f.Add("[::ffff:10.0.0.1]:1", "[[::1]]:", "]")
	f.Add("@", "198.51.100.7", "198.51.100.8")

	f.Fuzz(func(t *testing.T, remote, line1, line2 string) {
		got := ratelimit.ClientAddress(request(remote, line1, line2), proxies())
		peer := ratelimit.ClientAddress(request(remote), nil)

		if withPort, err := netip.ParseAddrPort(remote); err == nil && peer != withPort.Addr().Unmap().WithZone("") {
			t.Fatalf("%q gave the peer %s", remote, peer)
		}

		if peer.IsValid() && !got.IsValid() {
			t.Fatalf("the valid peer %s became an invalid address", peer)
		}

		if got.Is4In6() || got.Zone() != "" {
			t.Fatalf("%s is mapped or has a zone", got)
		}

		if unheard := ratelimit.ClientAddress(request(remote, line1, line2), nil); unheard != peer {
			t.Fatalf("with no trusted proxy the headers changed %s to %s", peer, unheard)
		}

		trusted := peer.IsValid() && (proxies()[0].Contains(peer) || proxies()[1].Contains(peer))
		if !trusted && got != peer {
			t.Fatalf("the untrusted peer %s became %s by its own headers", peer, got)
		}

		// Whatever a client writes first, it stands left of what the first proxy adds.
		const client = "198.51.100.7"

		spoofed := ratelimit.ClientAddress(request("10.0.0.1:1", line1, line2+", "+client), proxies())
		if spoofed != netip.MustParseAddr(client) {
			t.Fatalf("behind a proxy, %q made %s of %s", strings.Join([]string{line1, line2}, ","), spoofed, client)
		}
	})
}
