package chat

import (
	"path"
	"strings"
	"unicode"
)

// cleanFileName returns the name of a file as it may be stored and shown: without
// the folders that some clients send with it, and without characters that are
// not visible, among them those that reverse the direction of the text and so
// hide a name's true ending. The joiners stay, which some scripts and emoji
// need. The name is empty where nothing is left of it.
func cleanFileName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r == zeroWidthNonJoiner || r == zeroWidthJoiner:
			return r
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			return -1
		}
		return r
	}, name)
	name = strings.TrimSpace(path.Base(strings.ReplaceAll(name, `\`, "/")))
	if strings.Trim(name, "./"+string(zeroWidthNonJoiner)+string(zeroWidthJoiner)) == "" {
		return ""
	}
	return name
}

const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)
