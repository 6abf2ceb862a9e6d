package ratelimit

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientAddress returns the address that a request comes from: the connection's
// own, unless that is one of the trusted proxies. Then X-Forwarded-For is read
// from right to left, past the hops that are trusted too, to the first address
// that is not: the client's. An element that is not an address ends the walk at
// the last trusted hop; the client may have written it and all to its left.
//
// Several header lines are one list (RFC 9110, section 5.3), whose empty
// elements are skipped (section 5.6.1). An element may have a port, and brackets
// around IPv6. The result is never IPv4-mapped and has no zone; it is the zero
// Addr only when r.RemoteAddr holds no address. The prefixes must be IPv4, or
// IPv6 that is not IPv4-mapped.
func ClientAddress(r *http.Request, trusted []netip.Prefix) netip.Addr {
	addr, ok := parseHop(r.RemoteAddr)
	if !ok || !contains(trusted, addr) {
		return addr
	}
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, element := range slices.Backward(forwarded) {
		element = strings.Trim(element, " \t")
		if element == "" {
			continue
		}
		hop, ok := parseHop(element)
		if !ok {
			return addr
		}
		addr = hop
		if !contains(trusted, addr) {
			return addr
		}
	}
	return addr
}

// FromTrusted reports whether the request's own connection comes from one of the
// trusted proxies.
func FromTrusted(r *http.Request, trusted []netip.Prefix) bool {
	addr, ok := parseHop(r.RemoteAddr)
	return ok && contains(trusted, addr)
}

// parseHop reads "address", "address:port", "[address]" or "[address]:port".
func parseHop(s string) (netip.Addr, bool) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return canonical(withPort.Addr()), true
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

	return canonical(addr), true
}

// canonical removes what would make one address two.
func canonical(addr netip.Addr) netip.Addr {
	return addr.Unmap().WithZone("")
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
}
