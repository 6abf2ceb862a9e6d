package chat

// maxDepth is how deep JSON may be nested that a page or a model brings. What is
// stored and told of it has a few levels more, and few programs read more than
// some hundred; Go's own reads 10,000.
const maxDepth = 200

// tooDeep says that JSON is nested deeper than maxDepth.
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
