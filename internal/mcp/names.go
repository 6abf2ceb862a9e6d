package mcp

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	// separator stands between a server's name and its tool's. No server's
	// name holds it or ends with a part of it.
	separator = "__"
	// maxName is the longest name of a function that model services take.
	maxName = 64
	// markBytes are those of a hash that tell two tools apart whose names
	// became the same.
	markBytes = 4
)

// offeredName is what the model calls a server's tool. It is made of the two
// names alone, so that it stays the same whatever other servers are there.
func offeredName(server, tool string) string {
	name := server + separator + strings.Map(allowed, tool)
	if name == server+separator+tool && tool != "" && len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(tool))
	mark := "_" + hex.EncodeToString(sum[:markBytes])
	return name[:min(len(name), maxName-len(mark))] + mark
}

// allowed is the character itself, where a function's name may have it.
func allowed(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '-':
		return r
	default:
		return '_'
	}
}
