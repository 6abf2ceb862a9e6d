// Package jsontext knows how JSON writes texts.
package jsontext

import "unicode/utf8"

// IsLiteral reports whether a text between quotes is its own JSON string (RFC
// 8259, section 7): valid UTF-8 without any character that must be escaped.
func IsLiteral(text string) bool {
	ascii := true
	for n := range len(text) {
		c := text[n]
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return ascii || utf8.ValidString(text)
}
