package demo

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
)

var (
	namesTool = regexp.MustCompile(`(?i)^(?:please )?(?:use|call)\s+(?:the tool\s+)?([\w.-]+)[\s:,]*`)
	asksTools = regexp.MustCompile(`\b(?:which|what|your|list) (?:the )?tools\b`)
)

// call is a tool call that the demo makes.
type call struct {
	name, arguments string
}

// calls returns the calls of offered tools that the message asks for, at most one
// a line. There are none once the tools have answered.
func (t turn) calls() []call {
	if len(t.results) > 0 {
		return nil
	}
	if t.forced != "" {
		for _, tool := range t.tools {
			if tool.Function.Name == t.forced {
				return []call{tool.call(t.asked)}
			}
		}
	}
	var made []call
	for line := range strings.Lines(t.asked) {
		if found, rest, ok := t.asksFor(strings.TrimSpace(line)); ok {
			made = append(made, found.call(rest))
		}
	}
	return made
}

// asksFor finds the tool that a line asks for, and its input.
func (t turn) asksFor(line string) (tool, string, bool) {
	if named := namesTool.FindStringSubmatch(line); named != nil {
		for _, one := range t.tools {
			if strings.EqualFold(one.Function.Name, named[1]) {
				return one, line[len(named[0]):], true
			}
		}
	}
	head, rest, hasHead := strings.Cut(line, ":")
	for _, one := range t.tools {
		if hasHead && one.isCalled(head) {
			return one, strings.TrimSpace(rest), true
		}
	}
	for _, one := range t.tools {
		if rest, ok := one.saidIn(line); ok {
			return one, rest, true
		}
	}
	return tool{}, "", false
}

// isCalled reports whether every word of the head is in the tool's name or
// description, and at least one is in its name.
func (o tool) isCalled(head string) bool {
	name, words := wordsOf(o.Function.Name), wordsOf(o.Function.Name+" "+o.Function.Description)
	ofName := false
	for _, word := range strings.FieldsFunc(head, notInWord) {
		if !words[stem(word)] {
			return false
		}
		ofName = ofName || name[stem(word)]
	}
	return ofName
}

// saidIn reports whether the line has all words of a tool's name, at least two,
// and returns the text after the last of them.
func (o tool) saidIn(line string) (string, bool) {
	missing := wordsOf(o.Function.Name)
	if len(missing) < 2 { //nolint:mnd // one word is in a message by chance
		return "", false
	}
	start := -1
	for at, r := range line + " " {
		if !notInWord(r) {
			if start < 0 {
				start = at
			}
			continue
		}
		if start >= 0 {
			delete(missing, stem(line[start:at]))
		}
		start = -1
		if len(missing) == 0 {
			return strings.TrimLeftFunc(line[at:], notInWord), true
		}
	}
	return "", false
}

func wordsOf(text string) map[string]bool {
	words := make(map[string]bool)
	for _, word := range strings.FieldsFunc(text, notInWord) {
		words[stem(word)] = true
	}
	return words
}

func notInWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// stem makes "Tasks" and "task" the same word.
func stem(word string) string { return strings.TrimSuffix(strings.ToLower(word), "s") }

// call fills the tool's arguments from its input: JSON as it is, other text as
// the first string that the tool takes.
func (o tool) call(given string) call {
	given = strings.TrimSpace(given)
	made := call{name: o.Function.Name, arguments: given}
	if !strings.HasPrefix(given, "{") || !json.Valid([]byte(given)) {
		made.arguments = o.Function.Parameters.fill(given)
	}
	return made
}

// answerOf returns a text with the results of the tools.
func answerOf(t turn) (string, bool) {
	if len(t.results) == 0 {
		return "", false
	}
	var text strings.Builder
	for n, result := range t.results {
		if n > 0 {
			text.WriteString("\n\n")
		}
		text.WriteString("The tool `" + result.name + "` answered:\n\n" + quote(result.text))
	}
	return text.String(), true
}

// toolless answers a message that asks for a tool that is not offered, or for the
// names of the tools.
func toolless(t turn) (string, bool) {
	named := namesTool.FindStringSubmatch(t.asked)
	if !asksTools.MatchString(t.plain) && (named == nil || !strings.ContainsAny(named[1], "_-")) {
		return "", false
	}
	if len(t.tools) == 0 {
		return "No tools are offered to me. The server offers those of `MCP_SERVERS`.", true
	}
	names := make([]string, len(t.tools))
	for n, one := range t.tools {
		names[n] = "`" + one.Function.Name + "`"
	}
	return "I am offered these tools: " + strings.Join(names, ", ") + `. Ask for one by its name: "use ` +
		t.tools[0].Function.Name + `" and what to give it.`, true
}
