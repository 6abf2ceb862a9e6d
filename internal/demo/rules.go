package demo

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	asksHelp    = regexp.MustCompile(`^help\b|what can (?:you|the demo) do`)
	asksName    = regexp.MustCompile(`(?i)what(?:'s|’s|s| is| was) my name|what my name is|(?:know|remember) my name|who am i\b`)
	tellsName   = regexp.MustCompile(`(?i)my name(?:'s|’s| is)\s+(\S.*)`)
	asksRepeat  = regexp.MustCompile(`what did i (?:just )?(?:ask|say|write)|my (?:first|last|previous) (?:message|question)|^repeat\b`)
	asksCount   = regexp.MustCompile(`how many messages|count (?:the|my|our) messages`)
	asksTime    = regexp.MustCompile(`what(?:'s| is)? (?:the )?(?:time|date|day)\b|tell (?:me )?the (?:time|date)|^(?:time|date)\b`)
	asksList    = regexp.MustCompile(`\blist\b`)
	listedItems = regexp.MustCompile(`(?i)\blist\b[^:]*?(?: of |: ?)(\S.*)`)
	itemBreak   = regexp.MustCompile(`\s*,\s*(?:and\s+)?|\s+and\s+`)
	asksCode    = regexp.MustCompile(`\bcode\b`)
	greets      = regexp.MustCompile(`^(?:hi|hello|hey|good (?:morning|afternoon|evening))\b`)
)

func help(t turn) (string, bool) {
	return helpText, asksHelp.MatchString(t.plain)
}

func recallName(t turn) (string, bool) {
	if !asksName.MatchString(t.asked) {
		return "", false
	}
	if name := t.name(); name != "" {
		return "Your name is " + name + ".", true
	}
	return `You have not told me your name yet. Try "my name is Ada".`, true
}

func learnName(t turn) (string, bool) {
	name := nameIn(t.asked)
	if name == "" {
		return "", false
	}
	return "Nice to meet you, " + name + ". Ask me later what your name is.", true
}

// name returns the name that the user gave last, or "".
func (t turn) name() string {
	if name := nameIn(t.asked); name != "" {
		return name
	}
	for _, said := range slices.Backward(t.earlier) {
		if name := nameIn(said); name != "" {
			return name
		}
	}
	return ""
}

// nameIn finds the name in "my name is …": one word, and the words after it that
// begin with a capital letter.
func nameIn(text string) string {
	found := tellsName.FindStringSubmatch(asksName.ReplaceAllString(text, ""))
	if found == nil {
		return ""
	}
	const most = 4
	var name []string
	for word := range strings.FieldsSeq(found[1]) {
		first, _ := utf8.DecodeRuneInString(word)
		if len(name) == most || (len(name) > 0 && !unicode.IsUpper(first)) {
			break
		}
		bare := strings.TrimFunc(word, unicode.IsPunct)
		if bare == "" {
			break
		}
		name = append(name, bare)
		if !strings.HasSuffix(word, bare) {
			break // a full stop or a comma ends the name
		}
	}
	const longest = 40
	return cut(strings.Join(name, " "), longest)
}

func repeat(t turn) (string, bool) {
	if !asksRepeat.MatchString(t.plain) {
		return "", false
	}
	if len(t.earlier) == 0 {
		return "That was your first message, so there is nothing before it.", true
	}
	if strings.Contains(t.plain, "first") {
		return "Your first message was:\n\n" + quote(t.earlier[0]), true
	}
	return "Before that you wrote:\n\n" + quote(t.earlier[len(t.earlier)-1]), true
}

func count(t turn) (string, bool) {
	text := fmt.Sprintf("I was sent %s of yours, this one included, and %s of mine.",
		plural(len(t.earlier)+1, "message"), plural(t.answers, "answer"))
	return text, asksCount.MatchString(t.plain)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func arithmetic(t turn) (string, bool) {
	text, err := calculate(t.plain)
	if errors.Is(err, errZeroDivisor) {
		return "A division by zero has no result.", true
	}
	return text, err == nil
}

func clock(t turn) (string, bool) {
	return t.now.Format("It is 15:04:05 UTC on Monday, 2 January 2006, by this server's clock."), asksTime.MatchString(t.plain)
}

func list(t turn) (string, bool) {
	if !asksList.MatchString(t.plain) {
		return "", false
	}
	found := listedItems.FindStringSubmatch(t.asked)
	if found == nil {
		return "Here is a list:\n\n1. first\n2. second\n3. third\n\nName your own items: \"make a list of tea, milk and bread\".", true
	}
	var text strings.Builder
	text.WriteString("Here is your list:\n")
	for _, item := range itemBreak.Split(strings.TrimRight(found[1], " .!?"), -1) {
		if item != "" {
			text.WriteString("\n- " + item)
		}
	}
	return text.String(), true
}

func code(t turn) (string, bool) {
	const text = "Here is a program in Go:\n\n```go\npackage main\n\nimport \"fmt\"\n\nfunc main() {\n\tfmt.Println(\"Hello from the demo\")\n}\n```"
	return text, asksCode.MatchString(t.plain)
}

func greet(t turn) (string, bool) {
	if !greets.MatchString(t.plain) {
		return "", false
	}
	if name := t.name(); name != "" {
		return "Hello, " + name + "!", true
	}
	return `Hello! Tell me your name ("my name is Ada") and I will remember it.`, true
}
