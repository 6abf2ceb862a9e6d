package ratelimit

import (
	"net/http"
	"net/netip"
	"strings"
)

// ClientAddr tells which address a request comes from. That is the
// connection's own, unless the connection comes from one of the trusted
// proxies: then X-Forwarded-For is read from right to left, over the hops that
// are trusted too, and the first address that is not is the client's. What
// cannot be read as an address ends the walk at the last trusted hop, and what
// stands left of it counts for nothing, for anybody may have written it.
//
// Several header lines are one list (RFC 9110, section 5.3). An entry may have
// a port, and brackets around IPv6. The result is never IPv4-mapped and has no
// zone; it is the zero Addr only when r.RemoteAddr holds no address. The
// prefixes must be plain ones: IPv4, or IPv6 that is not IPv4-mapped.
func ClientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	addr, ok := parseHop(r.RemoteAddr)
	if !ok || !contains(trusted, addr) {
		return addr
	}

	rest := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	for rest != "" {
		comma := strings.LastIndexByte(rest, ',')
		hop, ok := parseHop(strings.Trim(rest[comma+1:], " \t"))
		if !ok {
			return addr
		}

		addr = hop
		if !contains(trusted, addr) {
			return addr
		}

		rest = rest[:max(comma, 0)]
	}

	return addr
}

// FromTrusted says whether the request's own connection comes from one of the
// trusted proxies.
func FromTrusted(r *http.Request, trusted []netip.Prefix) bool {
	addr, ok := parseHop(r.RemoteAddr)
	return ok && contains(trusted, addr)
}

// parseHop reads "address", "address:port", "[address]" or "[address]:port".
func parseHop(s string) (netip.Addr, bool) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return plain(withPort.Addr()), true
	}

	if inner, ok := strings.CutPrefix(s, "["); ok {
		if s, ok = strings.CutSuffix(inner, "]"); !ok {
			return netip.Addr{}, false
		}
	}

	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, false
	}

	return plain(addr), true
}

func plain(addr netip.Addr) netip.Addr {
	return addr.Unmap().WithZone("")
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	for _, prefix := range prefixes {
		if prefix.Contains(addr) {
			return true
		}
	}

	return false
}
