package runs

// maxDepth bounds the nesting of JSON from a page or a model. Answers nest it a
// few levels deeper, and many JSON readers stop at some hundred levels; Go's
// stops at 10,000.
const maxDepth = 200

// tooDeep reports whether JSON is nested deeper than maxDepth.
func tooDeep(text []byte) bool {
	depth, quoted := 0, false
	for at := 0; at < len(text); at++ {
		switch c := text[at]; {
		case quoted && c == '\\':
			at++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return true
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return false
}
