package mcp

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	// separator stands between the names of a server and its tool. A server's
	// name does not contain it, nor end with a part of it.
	separator = "__"
	// maxName is the longest name of a function that model services accept.
	maxName = 64
	// markBytes is how many bytes of a hash distinguish tools whose names became
	// equal.
	markBytes = 4
)

// offeredName returns the name under which the model is offered a tool. It
// depends on the two names alone, so that other servers do not change it.
func offeredName(server, tool string) string {
	name := server + separator + strings.Map(allowed, tool)
	if name == server+separator+tool && tool != "" && len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(tool))
	mark := "_" + hex.EncodeToString(sum[:markBytes])
	return name[:min(len(name), maxName-len(mark))] + mark
}

// allowed returns a character that a function's name may contain, and "_" for
// any other.
func allowed(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '-':
		return r
	default:
		return '_'
	}
}
