package runs_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
)

// wantLast looks at the last time that the model may be asked in a turn: it is
// offered the tools of its calls, and may call none.
func wantLast(t *testing.T, requests []chat.ModelRequest, first int) {
	t.Helper()
	if len(requests) != first+12 {
		t.Fatalf("the model was asked %d times, want %d", len(requests), first+12)
	}
	for n, request := range requests[first:] {
		if len(request.Tools) == 0 || request.NoCalls != (n == 11) {
			t.Errorf("request %d has %d tools, and no calls is %t", n+1, len(request.Tools), request.NoCalls)
		}
	}
}

// A model that only calls tools must answer in text in the last step. Where it calls
// nevertheless, that call is not made and the run fails.
func TestStepsAreBound(t *testing.T) {
	t.Parallel()
	var made atomic.Int64
	service, model := withTools(t, runs.Options{}, toolbox{"again": func(context.Context, chat.ToolUse) chat.ToolResult {
		made.Add(1)
		return chat.ToolResult{Text: "go on"}
	}}, calls("again"))
	session, run := ask(t, service)
	if last := failed(t, follow(t, run, nil)); last.AllowRetry || !strings.Contains(last.Message, "calling tools") {
		t.Errorf("the run ended with %+v", last)
	}
	wantLast(t, model.requests, 0)
	if items := len(itemsOf(t, service, session.ID)); made.Load() != 11 || items != 12 {
		t.Errorf("%d calls were made, and there are %d items", made.Load(), items)
	}

	model.answers = append(elevenTimes("again"), text("That is all."))
	say(t, service, session.ID, "again")
	wantLast(t, model.requests, 12)
	if said := history(t, service, session.ID); said[len(said)-1] != "assistant_message: That is all." {
		t.Errorf("the thread ends with %q", said[len(said)-1])
	}
}

// elevenTimes is a call a step, for as long as a model may call.
func elevenTimes(name string) [][]chat.Chunk {
	var answers [][]chat.Chunk
	for range 11 {
		answers = append(answers, calls(name))
	}
	return answers
}

func resume(t *testing.T, service *runs.Service, session uuid.UUID, output string) []chat.Event {
	t.Helper()
	run, err := service.Resume(t.Context(), runs.ResumeRequest{
		UserID: alice, SessionID: session, Output: []byte(output), ClientTools: []chat.Tool{{Name: "pick"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return follow(t, run, nil)
}

// The page's tools make a run of each step, and the steps of a turn are bound
// all the same. The thread takes the next message.
func TestStepsAreBoundOverPauses(t *testing.T) {
	t.Parallel()
	page := calls("pick")
	// A step with a text, one with a call of the server's tool beside, one of that alone.
	answers := append([][]chat.Chunk{append([]chat.Chunk{{Text: "Let me ask."}}, page...), calls("ours", "pick"), calls("ours")}, page)
	service, model := withTools(t, runs.Options{}, toolbox{"ours": gives("given")}, answers...)
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	say(t, service, session.ID, "hello")
	for range 9 {
		if told := sequence(resume(t, service, session.ID, "1")); told[len(told)-1] != "done client_tool_call" {
			t.Fatalf("the run ended with %q", told)
		}
	}
	if last := failed(t, resume(t, service, session.ID, "1")); last.AllowRetry || !strings.Contains(last.Message, "calling tools") {
		t.Errorf("the run ended with %+v", last)
	}
	wantLast(t, model.requests, 0)
	again := runs.ResumeRequest{UserID: alice, SessionID: session.ID, Output: []byte("1")}
	if _, err := service.Resume(t.Context(), again); chat.CodeOf(err) != chat.CodeOf(chat.ErrNoPendingCall()) {
		t.Errorf("an output without a pending call: %v", err)
	}

	model.answers = append(elevenTimes("pick"), text("Green."))
	say(t, service, session.ID, "again")
	for range 11 {
		resume(t, service, session.ID, "1")
	}
	wantLast(t, model.requests, 12)
	if said := history(t, service, session.ID); said[len(said)-1] != "assistant_message: Green." {
		t.Errorf("the thread ends with %q", said[len(said)-1])
	}
}

// sizeOfResults returns the characters of the tool results of a request, and how many
// results there are.
func sizeOfResults(request chat.ModelRequest) (chars, results int) {
	for _, message := range request.Messages {
		if message.Role == chat.RoleTool {
			chars += utf8.RuneCountInString(message.Content)
			results++
		}
	}
	return chars, results
}

// The limits of tool results in one step, and in one request; a note stands
// for the rest.
const (
	maxResultChars = 64 << 10
	noteSize       = 100
)

// Long results of many tools are bounded together, in what is stored of a step
// and in what is sent. Of the newest step the model sees something of each.
func TestResultsAreBoundedTogether(t *testing.T) {
	t.Parallel()
	var names []string
	box := toolbox{}
	for n := range 32 {
		names = append(names, fmt.Sprintf("t%d", n))
		box[names[n]] = gives(strings.Repeat("é", 16_000))
	}
	service, model := withTools(t, runs.Options{}, box, calls(names...), calls(names...), calls(names...), text("Much."))
	session, run := ask(t, service)
	follow(t, run, nil)
	for n, request := range model.requests {
		if chars, results := sizeOfResults(request); results != 32*n || chars > maxResultChars+noteSize*results {
			t.Errorf("request %d has %d results of %d characters", n, results, chars)
		}
	}
	last := model.requests[3].Messages
	for _, message := range last[len(last)-32:] {
		if !strings.HasPrefix(message.Content, "ééé") || !strings.Contains(message.Content, "was cut here") {
			t.Fatalf("a result of the newest step is sent as %.100q", message.Content)
		}
	}
	for _, item := range itemsOf(t, service, session.ID)[1:4] {
		stored := 0
		for _, call := range item.ToolCalls {
			stored += utf8.RuneCountInString(*call.Result)
		}
		if stored > maxResultChars || stored < maxResultChars/2 {
			t.Errorf("of a step %d characters are stored", stored)
		}
	}
}

// What the page's tools give is bounded in what is sent. The newest output is
// sent whole, and all are stored.
func TestOutputsAreBoundedTogether(t *testing.T) {
	t.Parallel()
	service, model := withTools(t, runs.Options{}, nil, append(elevenTimes("pick"), text("Much."))...)
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	say(t, service, session.ID, "hello")
	output := `"` + strings.Repeat("x", maxResultChars-2) + `"`
	for range 11 {
		resume(t, service, session.ID, output)
	}
	wantLast(t, model.requests, 0)
	for n, request := range model.requests {
		if chars, results := sizeOfResults(request); results != n || chars > maxResultChars+noteSize*results {
			t.Errorf("request %d has %d results of %d characters", n, results, chars)
		}
		if newest := request.Messages[len(request.Messages)-1].Content; n > 0 && newest != output {
			t.Errorf("the newest output of request %d has %d characters", n, len(newest))
		}
	}
	for _, item := range itemsOf(t, service, session.ID) {
		if item.ClientCall != nil && string(item.ClientCall.Output) != output {
			t.Errorf("an output is stored with %d characters", len(item.ClientCall.Output))
		}
	}
}
