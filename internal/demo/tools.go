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

// call is a tool call the demo makes.
type call struct {
	name, arguments string
}

// calls are what the message asks of the tools that are offered: each line may
// ask for one. There are none once the tools have answered.
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

// asksFor finds the tool that a line asks for, and what it is given.
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

// isCalled says that every word of the head is of the tool's name or
// description, and one at least of its name.
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

// saidIn says that the line has all the words of a tool's name, two at least,
// and what follows the last of them.
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

// stem makes "Tasks" and "task" one word.
func stem(word string) string { return strings.TrimSuffix(strings.ToLower(word), "s") }

// call fills the tool's arguments with what the message gives it: JSON as it
// is, else the text as the first text that the tool takes.
func (o tool) call(given string) call {
	given = strings.TrimSpace(given)
	made := call{name: o.Function.Name, arguments: given}
	if !strings.HasPrefix(given, "{") || !json.Valid([]byte(given)) {
		made.arguments = o.Function.Parameters.fill(given)
	}
	return made
}

// answerOf tells what the tools have answered.
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

// toolless is for a message that asks for a tool in vain, or for their names.
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
