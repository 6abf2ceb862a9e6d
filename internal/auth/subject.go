package auth

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxSubjectBytes is the longest sub a token may have, in bytes.
const MaxSubjectBytes = 255

var (
	errSubjectBlank   = errors.New("the token's sub is missing or blank")
	errSubjectLong    = fmt.Errorf("the token's sub is longer than %d bytes", MaxSubjectBytes)
	errSubjectUTF8    = errors.New("the token's sub is not valid UTF-8")
	errSubjectControl = errors.New("the token's sub has a control character")
)

// checkSubject refuses what no database column or log line should hold;
// PostgreSQL for one takes no NUL.
func checkSubject(sub string) error {
	switch {
	case len(sub) > MaxSubjectBytes:
		return errSubjectLong
	case !utf8.ValidString(sub), strings.ContainsRune(sub, utf8.RuneError):
		// JSON decoding turns bad bytes and lone surrogates into U+FFFD,
		// which would make one user of many.
		return errSubjectUTF8
	case strings.TrimSpace(sub) == "":
		return errSubjectBlank
	case strings.ContainsFunc(sub, unicode.IsControl):
		return errSubjectControl
	}

	return nil
}
