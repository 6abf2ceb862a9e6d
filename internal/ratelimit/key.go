package ratelimit

import (
	"hash/maphash"
	"net/netip"
)

// An IPv6 customer is given a /64 or more, so single addresses mean nothing.
const (
	v6ExactBytes  = 8
	v4SharedBytes = 2
	v6SharedBytes = 4
)

// exactKey names the client: an IPv4 address or an IPv6 /64. An invalid
// address has a name too, so that unknown clients are limited as one.
func exactKey(addr netip.Addr) string {
	addr = addr.Unmap()
	switch {
	case addr.Is4():
		b := addr.As4()

		return "4" + string(b[:])
	case addr.Is6():
		b := addr.As16()

		return "6" + string(b[:v6ExactBytes])
	default:
		return "?"
	}
}

// sharedKey names the coarse group of a client: an IPv4 /16, or an IPv6 /32
// folded by a seeded hash. There are at most 65,536 of each family. The seed
// keeps an attacker from choosing networks that fold onto a victim's.
func sharedKey(addr netip.Addr, seed maphash.Seed) string {
	addr = addr.Unmap()
	switch {
	case addr.Is4():
		b := addr.As4()

		return "s4" + string(b[:v4SharedBytes])
	case addr.Is6():
		b := addr.As16()
		h := maphash.Bytes(seed, b[:v6SharedBytes])

		return "s6" + string([]byte{byte(h >> 8), byte(h)}) //nolint:gosec // the low 16 bits are what is wanted
	default:
		return "s?"
	}
}
