package attachments

import (
	"path"
	"strings"
	"unicode"
)

// cleanFileName returns a file name for storing and showing. It removes the
// folders that some clients send, and invisible characters, such as those that
// reverse the text direction and so hide the true extension. It keeps the
// joiners, which some scripts and emoji need. The result can be empty.
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
