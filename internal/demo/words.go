package demo

import (
	"unicode"
)

// longestPiece bounds a piece, in code points, for scripts without spaces between
// words.
const longestPiece = 16

// split cuts a text into pieces of one word each, with the space before it. Their
// concatenation is the text. No piece ends inside a visible character.
func split(text string) []string {
	var pieces []string
	start, length, inWord := 0, 0, false
	previous := rune(-1)
	for at, r := range text {
		space := unicode.IsSpace(r)
		newWord := space && inWord
		tooLong := length >= longestPiece && !joins(previous, r)
		if newWord || tooLong {
			pieces = append(pieces, text[start:at])
			start, length, inWord = at, 0, false
		}
		if !space {
			inWord = true
		}
		length++
		previous = r
	}
	if start < len(text) {
		pieces = append(pieces, text[start:])
	}
	return pieces
}

// cut shortens a text to limit code points, a few more where a visible character
// would break, and marks the cut.
func cut(text string, limit int) string {
	count, previous := 0, rune(-1)
	for at, r := range text {
		if count >= limit && !joins(previous, r) {
			return text[:at] + "…"
		}
		count++
		previous = r
	}
	return text
}

// joins reports whether two code points belong to one visible character. It covers
// accents, variation selectors, emoji sequences and flags, not all rules of
// Unicode.
func joins(left, right rune) bool {
	const joiner = '\u200d'
	return left == joiner || right == joiner || unicode.IsMark(right) ||
		isSkinTone(right) || (isFlagLetter(left) && isFlagLetter(right))
}

func isSkinTone(r rune) bool { return r >= 0x1F3FB && r <= 0x1F3FF }

func isFlagLetter(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }
