package demo

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// plan is the planned answer to a request.
type plan struct {
	// refusal, if set, is the whole answer.
	refusal *refusal
	// reasoning comes first, then the text, then the calls.
	reasoning string
	text      string
	calls     []call
	slow      bool
	ending    ending
}

// ending is how a stream ends.
type ending int

const (
	endComplete ending = iota // finish reason, usage, [DONE]
	endCut                    // the connection breaks
	endError                  // an error event
	endSilence                // nothing more until the client leaves
)

const maxLongWords = 20_000

// choose plans an answer to the last user message. A message that starts with
// a slash is a command.
func choose(req request, now time.Time) plan {
	t := newTurn(req, now)
	name, argument, _ := strings.Cut(strings.TrimSpace(t.asked), " ")
	argument = strings.TrimSpace(argument)
	switch strings.ToLower(name) {
	case "/error":
		return planError(argument)
	case "/long":
		return planLong(argument)
	case "/cut":
		return plan{text: "This answer is cut off in the", ending: endCut}
	case "/fail":
		return plan{text: "The provider fails in the middle of this", ending: endError}
	case "/hang":
		return plan{text: "After these words nothing more will", ending: endSilence}
	case "/slow":
		return plan{text: "This is what a slow provider looks like: every word takes its time.", slow: true}
	case "/empty":
		return plan{}
	}
	if strings.HasPrefix(name, "/") {
		return plan{text: "The demo has no such command. " + helpText}
	}
	return t.plan()
}

// plan plans the answer to a message that is no command: calls of tools, or text.
func (t turn) plan() plan {
	var p plan
	if t.thinks && len(t.results) == 0 {
		p.reasoning = reasoning(t)
	}
	if p.calls = t.calls(); len(p.calls) == 0 {
		p.text = t.answer()
	}
	return p
}

func planError(argument string) plan {
	known := refusals()
	status, err := strconv.Atoi(argument)
	if argument == "" {
		status, err = http.StatusBadGateway, nil
	}
	if found, ok := known[status]; ok && err == nil {
		return plan{refusal: &found}
	}
	codes := make([]string, 0, len(known))
	for code := range known {
		codes = append(codes, strconv.Itoa(code))
	}
	slices.Sort(codes)
	return plan{text: "`/error` takes one of these codes: " + strings.Join(codes, ", ") + "."}
}

func planLong(argument string) plan {
	count, err := strconv.Atoi(argument)
	if err != nil || count < 1 || count > maxLongWords {
		return plan{text: "`/long` takes a number of words from 1 to " + strconv.Itoa(maxLongWords) + ", as in `/long 500`."}
	}
	return plan{text: filler(count)}
}

// filler returns a text of exactly count words, in paragraphs.
func filler(count int) string {
	const paragraph = 60
	passage := strings.Fields(`This demo has no model behind it, so these are plain words to fill a long
answer. They come one after the other at a pace that a reader can follow, and they say nothing that is
worth keeping. Watch how the stream arrives, how the page scrolls, and what happens when you leave.`)
	var text strings.Builder
	for i := range count {
		switch {
		case i == 0:
		case i%paragraph == 0:
			text.WriteString("\n\n")
		default:
			text.WriteByte(' ')
		}
		text.WriteString(passage[i%len(passage)])
	}
	return text.String()
}
