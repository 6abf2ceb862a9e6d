package demo

import (
	"fmt"
	"strings"
	"time"
)

// turn is a message to answer and what came before it.
type turn struct {
	// asked is the last user message; plain is asked in lower case, with single
	// spaces and straight apostrophes.
	asked, plain string
	// earlier are the user messages before it, oldest first.
	earlier []string
	answers int
	now     time.Time
	// images are the URLs of the images of the last user message.
	images []string
	// thinks says that the message began with "think"; asked is the rest.
	thinks bool
	// tools may be called; forced names the tool that must be called.
	tools  []tool
	forced string
	// results are the results of tools since the last user message.
	results []result
}

// result is the result of a tool.
type result struct {
	name, text string
}

func newTurn(req request, now time.Time) turn {
	t := turn{now: now}
	if !req.ToolChoice.none {
		t.tools, t.forced = req.Tools, req.ToolChoice.name
	}
	var said []string
	names := make(map[string]string)
	for _, m := range req.Messages {
		switch m.Role {
		case "user":
			said = append(said, m.Content.text)
			t.images, t.results = m.Content.images, nil
		case "assistant":
			if len(m.ToolCalls) == 0 {
				t.answers++
			}
			for _, made := range m.ToolCalls {
				names[made.ID] = made.Function.Name
			}
		case "tool":
			t.results = append(t.results, result{names[m.ToolCallID], m.Content.text})
		}
	}
	if len(said) > 0 {
		t.asked = said[len(said)-1]
		t.earlier = said[:len(said)-1]
	}
	t.asked, t.thinks = thought(t.asked)
	t.plain = plain(t.asked)
	return t
}

func plain(text string) string {
	text = strings.ReplaceAll(strings.ToLower(text), "’", "'")
	return strings.Join(strings.Fields(text), " ")
}

const notice = "**This is the demo: no model is behind it**, and fixed rules write these answers. " +
	"For real answers set `OPENROUTER_API_KEY` (keys are at https://openrouter.ai/keys) and start the server without `--demo`. " +
	"Send `help` to see what the demo can do."

const helpText = `The demo can:

- remember your name: say "my name is Ada", later ask "what is my name?"
- count: "how many messages?"
- repeat: "what did I ask before?", "what was my first message?"
- calculate: "what is 12 * (3 + 4)?"
- tell the time: "what time is it?"
- write Markdown: "make a list of tea, milk and bread", "show me some code"
- think first: "think: what is 2 + 2?"
- call the tools that it is offered: "what tools do you have?", "use add_task Buy milk" or "Add task: Buy milk" for a tool
  of the name add_task; one on each line for several at once
- notice an image that is sent with a message

It can also fail as a real provider does:

- ` + "`/error 429`" + `: refuse before the first word, with any code that OpenRouter uses
- ` + "`/fail`" + `: report an error in the middle of the answer
- ` + "`/cut`" + `: break the connection in the middle of the answer
- ` + "`/hang`" + `: fall silent in the middle of the answer
- ` + "`/slow`" + `: take several seconds to begin, then about a second for each word
- ` + "`/empty`" + `: answer without text
- ` + "`/long 500`" + `: answer with 500 words`

// answer returns the text of the answer. The first in a session introduces the
// demo.
func (t turn) answer() string {
	text := t.reply()
	if t.answers == 0 {
		return notice + "\n\n" + text
	}
	return text
}

// reply describes the images and answers the text.
func (t turn) reply() string {
	pictures := t.pictures()
	switch {
	case pictures == "" || len(t.results) > 0:
		return t.words()
	case t.plain == "":
		return pictures
	}
	return pictures + "\n\n" + t.words()
}

// words tries each rule in turn; the last one always answers.
func (t turn) words() string {
	rules := []func(turn) (string, bool){
		answerOf, toolless, help, recallName, learnName, repeat, count, arithmetic, clock, list, code, greet,
	}
	for _, rule := range rules {
		if text, ok := rule(t); ok {
			return text
		}
	}
	if t.plain == "" && t.thinks {
		return `Give me something to think about: "think: what is 2 + 2?"`
	}
	if t.plain == "" {
		return "There was no text in that message. Send `help` to see what the demo can do."
	}
	return fmt.Sprintf("You wrote:\n\n%s\n\nWithout a model the demo cannot answer that. Send `help` to see what it can do.", quote(t.asked))
}

// quote quotes a message in Markdown.
func quote(text string) string {
	const longest = 300
	lines := strings.Split(cut(strings.TrimSpace(text), longest), "\n")
	return "> " + strings.Join(lines, "\n> ")
}
