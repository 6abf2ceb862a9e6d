package ratelimit

import (
	"hash/maphash"
	"net/netip"
)

// A client with IPv6 has a /64 or more, so single addresses mean nothing.
const (
	v6ExactBytes  = 8
	v4SharedBytes = 2
	v6SharedBytes = 4
)

// exactKey is the key of a client: its IPv4 address or its IPv6 /64. Invalid
// addresses share one key, so that unknown clients are limited together.
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

// sharedKey is the key of a client's network: an IPv4 /16, or an IPv6 /32
// hashed to 16 bits, so at most 65,536 of each family. The hash is seeded so
// that an attacker cannot choose networks that collide with a victim's.
func sharedKey(addr netip.Addr, seed maphash.Seed) string {
	addr = addr.Unmap()
	switch {
	case addr.Is4():
		b := addr.As4()

		return "s4" + string(b[:v4SharedBytes])
	case addr.Is6():
		b := addr.As16()
		h := maphash.Bytes(seed, b[:v6SharedBytes])

		return "s6" + string([]byte{byte(h >> 8), byte(h)}) //nolint:gosec // only the low 16 bits are used
	default:
		return "s?"
	}
}
