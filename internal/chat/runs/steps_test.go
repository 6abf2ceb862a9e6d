package runs_test

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
)

// steps is a model that answers each request with the next list of chunks, and
// those after the last with the last.
type steps struct {
	mu       sync.Mutex
	answers  [][]chat.Chunk
	requests []chat.ModelRequest
}

func (s *steps) Stream(ctx context.Context, req chat.ModelRequest) (chat.ModelStream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req.Messages = slices.Clone(req.Messages)
	s.requests = append(s.requests, req)
	chunks := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	return scriptedStream{ctx, func(ctx context.Context) (chat.Chunk, error) {
		if len(chunks) == 0 {
			return chat.Chunk{}, io.EOF
		}
		next := chunks[0]
		chunks = chunks[1:]
		return next, ctx.Err()
	}}, nil
}

func calls(names ...string) []chat.Chunk {
	var pieces []chat.ToolCallDelta
	for n, name := range names {
		pieces = append(pieces, chat.ToolCallDelta{Index: n, ID: "call " + name, Name: name, Arguments: `{"n":`})
	}
	for n := range names {
		pieces = append(pieces, chat.ToolCallDelta{Index: n, Arguments: `1}`})
	}
	return []chat.Chunk{
		{Calls: pieces}, {FinishReason: "tool_calls", Usage: &chat.Usage{InputTokens: 10, OutputTokens: 5, Cost: new(0.5)}},
	}
}

func text(pieces ...string) []chat.Chunk {
	var chunks []chat.Chunk
	for _, piece := range pieces {
		chunks = append(chunks, chat.Chunk{Text: piece})
	}
	return append(chunks, chat.Chunk{Usage: &chat.Usage{InputTokens: 20, OutputTokens: 7, Cost: new(0.25)}})
}

// toolbox has the tools of a test, each a function.
type toolbox map[string]func(ctx context.Context, use chat.ToolUse) chat.ToolResult

func (b toolbox) Tools(context.Context) []chat.Tool {
	var tools []chat.Tool
	for name := range b {
		tools = append(tools, chat.Tool{Name: name, Parameters: []byte(`{"type":"object"}`)})
	}
	slices.SortFunc(tools, func(a, b chat.Tool) int { return strings.Compare(a.Name, b.Name) })
	return tools
}

func (b toolbox) Call(ctx context.Context, use chat.ToolUse) chat.ToolResult {
	return b[use.Name](ctx, use)
}

func gives(text string) func(context.Context, chat.ToolUse) chat.ToolResult {
	return func(context.Context, chat.ToolUse) chat.ToolResult { return chat.ToolResult{Text: text} }
}

// withTools is a service whose model goes through the answers.
func withTools(t *testing.T, o runs.Options, box chat.Toolbox, answers ...[]chat.Chunk) (*runs.Service, *steps) {
	t.Helper()
	model := &steps{answers: answers}
	if o.Store == nil {
		o.Store = openStore(t)
	}
	o.Log, o.Model, o.Tools = newLog(), model, box
	o.Limits = runs.Limits{SessionsPerUser: 10, MessageChars: 500, HistoryMessages: 40, HistoryChars: 32000}
	service := runs.NewService(o)
	if err := service.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_ = service.Shutdown(ctx) // Runs that hang are cut.
	})
	return service, model
}

// sequence names the events, with what matters of each.
func sequence(events []chat.Event) []string {
	var names []string
	for _, event := range events {
		switch event := event.(type) {
		case chat.ItemAdded:
			names = append(names, "added "+string(event.Item.Type))
		case chat.ItemDone:
			names = append(names, "done "+string(event.Item.Type))
		case *chat.TextDelta:
			names = append(names, "delta "+event.Delta)
		case chat.PartDone:
			names = append(names, "part done "+event.Text)
		case chat.ThoughtAdded:
			names = append(names, "thought "+event.Text)
		case chat.ThoughtUpdated:
			names = append(names, "thought is "+event.Text)
		case chat.Progress:
			names = append(names, "progress "+event.Text)
		case chat.Notice:
			names = append(names, "notice "+event.Message)
		case chat.Failed:
			names = append(names, "failed "+event.Message)
		case chat.StreamOptions, chat.PartAdded, chat.SessionUpdated:
		}
	}
	return names
}

func wantSequence(t *testing.T, events []chat.Event, want ...string) {
	t.Helper()
	if got := sequence(events); !slices.Equal(got, want) {
		t.Errorf("got\n %s\nwant\n %s", strings.Join(got, "\n "), strings.Join(want, "\n "))
	}
}

func itemsOf(t *testing.T, service *runs.Service, session uuid.UUID) []chat.Item {
	t.Helper()
	_, items, err := service.Session(t.Context(), alice, session)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// Two tools that are called in one step run at the same time: each waits for
// the other. What they gave is stored and sent to the model.
func TestToolsRunSideBySide(t *testing.T) {
	t.Parallel()
	var both sync.WaitGroup
	both.Add(2)
	meet := func(_ context.Context, use chat.ToolUse) chat.ToolResult {
		both.Done()
		both.Wait()
		return chat.ToolResult{Text: use.Name + " of " + use.UserID + " " + use.Arguments}
	}
	observer := &testObserver{}
	service, model := withTools(t, runs.Options{Observer: observer}, toolbox{"one": meet, "two": meet},
		append([]chat.Chunk{{Text: "Let me see."}, {ReasoningDetails: []byte(`[{"a":1}]`)}, {ReasoningDetails: []byte(`[{"b":2}]`)}},
			calls("one", "two")...), text("It is ", "done."))
	session, run := ask(t, service)
	wantSequence(t, follow(t, run, nil),
		"done user_message", "added assistant_message", "delta Let me see.", "part done Let me see.", "done assistant_message",
		"progress Using one …", "progress Using two …",
		"added assistant_message", "delta It is ", "delta done.", "part done It is done.", "done assistant_message")

	items := itemsOf(t, service, session.ID)
	if len(items) != 3 || items[1].Text() != "Let me see." || len(items[1].ToolCalls) != 2 {
		t.Fatalf("items %+v", items)
	}
	if result := items[1].ToolCalls[1].Result; result == nil || *result != `two of alice {"n":1}` {
		t.Errorf("the result is %v", result)
	}
	checkSecondStep(t, model.requests[1])
	if usage := observer.lastRun().Usage; usage.InputTokens != 30 || usage.OutputTokens != 12 || usage.Cost == nil || *usage.Cost != 0.75 {
		t.Errorf("the run used %+v, cost %v", usage, usage.Cost)
	}
}

// checkSecondStep checks how the model's own calls are sent to it.
func checkSecondStep(t *testing.T, second chat.ModelRequest) {
	t.Helper()
	if len(second.Tools) != 2 || len(second.Messages) != 4 {
		t.Fatalf("the second request has %d tools and the messages %+v", len(second.Tools), second.Messages)
	}
	asked := second.Messages[1]
	if asked.Content != "Let me see." || len(asked.ToolCalls) != 2 || string(asked.ReasoningDetails) != `[{"a":1},{"b":2}]` {
		t.Errorf("the model's own step is sent back as %+v", asked)
	}
	if told := second.Messages[3]; told.Role != chat.RoleTool || told.ToolCallID != "call two" || told.Content == "" {
		t.Errorf("the result is sent as %+v", told)
	}
}

// A tool's failure is a result for the model, which continues.
func TestToolsThatFail(t *testing.T) {
	t.Parallel()
	service, model := withTools(t, runs.Options{}, toolbox{
		"panics": func(context.Context, chat.ToolUse) chat.ToolResult { panic("no") },
		"odd":    gives("NUL \x00"),
	}, calls("panics", "odd", "unknown"), text("Sorry."))
	_, run := ask(t, service)
	events := follow(t, run, nil)
	if last := sequence(events); last[len(last)-1] != "done assistant_message" {
		t.Fatalf("the run ended with %q", last)
	}
	var told []string
	for _, message := range model.requests[1].Messages {
		if message.Role == chat.RoleTool {
			told = append(told, message.Content)
		}
	}
	want := []string{"The tool failed.", "NUL \uFFFD", "There is no tool of this name."}
	if !slices.Equal(told, want) {
		t.Errorf("the model was told %q, want %q", told, want)
	}
}

// A call that failed is shown as such while the run is live, and stored. A tool
// that reports an error of its own was called.
func TestFailedCalls(t *testing.T) {
	t.Parallel()
	box := toolbox{
		"fine": gives("Done."),
		"wrong": func(context.Context, chat.ToolUse) chat.ToolResult {
			return chat.ToolResult{Text: "No disk.", Failed: true}
		},
		"gone": func(context.Context, chat.ToolUse) chat.ToolResult {
			return chat.ToolResult{Text: "It cannot be reached.", Failed: true, CallFailed: true}
		},
		"panics": func(context.Context, chat.ToolUse) chat.ToolResult { panic("no") },
	}
	unreadable := []chat.Chunk{{Calls: []chat.ToolCallDelta{{ID: "a", Name: "fine", Arguments: `{"n":`}}}, {FinishReason: "tool_calls"}}
	service, _ := withTools(t, runs.Options{}, box,
		calls("fine"), calls("wrong"), calls("gone"), calls("panics"), calls("unknown"), unreadable, text("Sorry."))
	session, run := ask(t, service)
	wantSequence(t, follow(t, run, nil), "done user_message",
		"progress Using fine …", "progress Using wrong …",
		"progress Using gone …", "progress Could not call gone",
		"progress Using panics …", "progress Could not call panics",
		"progress Using unknown …", "progress Could not call unknown",
		"progress Using fine …", "progress Could not call fine",
		"added assistant_message", "delta Sorry.", "part done Sorry.", "done assistant_message")
	var stored []bool
	for _, item := range itemsOf(t, service, session.ID) {
		for _, call := range item.ToolCalls {
			stored = append(stored, call.CallFailed)
		}
	}
	if want := []bool{false, false, true, true, true, true}; !slices.Equal(stored, want) {
		t.Errorf("stored as failed: %v, want %v", stored, want)
	}
}

// Who stops a run while a tool works ends the tool too; the calls stay, with
// what the tool said.
func TestStopDuringATool(t *testing.T) {
	t.Parallel()
	began := make(chan struct{})
	service, _ := withTools(t, runs.Options{}, toolbox{
		"slow": func(ctx context.Context, _ chat.ToolUse) chat.ToolResult {
			close(began)
			<-ctx.Done()
			return chat.ToolResult{Text: "It was stopped.", Failed: true}
		},
	}, calls("slow"), text("Never said."))
	session, run := ask(t, service)
	<-began
	run.Cancel(chat.FailureClientLeft)
	follow(t, run, nil)
	items := itemsOf(t, service, session.ID)
	if len(items) != 3 || *items[1].ToolCalls[0].Result != "It was stopped." || items[2].Type != chat.ItemHiddenContext {
		t.Errorf("items %+v", items)
	}
}

// A call of a client tool ends the run with a pending call; its output starts the
// next one.
func TestClientTool(t *testing.T) {
	t.Parallel()
	page := []chat.Tool{{Name: "pick"}, {Name: "show"}}
	service, model := withTools(t, runs.Options{}, toolbox{"ours": gives("ours gave")},
		calls("ours", "pick", "show"), text("Green it is."))
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	request := hello(session.ID)
	request.ClientTools = page
	run, err := service.StartRun(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	events := follow(t, run, nil)
	wantSequence(t, events, "done user_message", "progress Using ours …", "progress Using show …", "progress Could not call show", "done client_tool_call")
	call := events[5].(chat.ItemDone).Item.ClientCall
	if call.Name != "pick" || call.CallID != "call pick" || string(call.Arguments) != `{"n":1}` || call.Output != nil {
		t.Errorf("the call is %+v", call)
	}

	run, err = service.Resume(t.Context(), runs.ResumeRequest{
		UserID: alice, SessionID: session.ID, Output: []byte(`"green"`), ClientTools: page,
	})
	if err != nil {
		t.Fatal(err)
	}
	wantSequence(t, follow(t, run, nil), "added assistant_message", "delta Green it is.", "part done Green it is.",
		"done assistant_message")
	var sent []string
	for _, message := range model.requests[1].Messages {
		var names []string
		for _, call := range message.ToolCalls {
			names = append(names, call.Name)
		}
		sent = append(sent, string(message.Role)+" "+message.Content+strings.Join(names, " "))
	}
	want := []string{
		"user hello", "assistant ours show pick", "tool ours gave", "tool Not called: the page takes one call at a time. Call it again.",
		`tool "green"`,
	}
	if !slices.Equal(sent, want) {
		t.Errorf("the model was sent %q, want %q", sent, want)
	}
	request.ClientTools = []chat.Tool{{Name: "ours"}}
	if _, err := service.StartRun(t.Context(), request); chat.CodeOf(err) != chat.CodeInvalidRequest {
		t.Errorf("a tool of the page with a name of ours: %v", err)
	}
}

// A call that was cut off is not made, since its arguments may be incomplete.
func TestCallsThatAreCutOffAreNotMade(t *testing.T) {
	t.Parallel()
	cut := []chat.Chunk{{Calls: []chat.ToolCallDelta{{ID: "a", Name: "erase"}}}, {FinishReason: "length"}}
	service, _ := withTools(t, runs.Options{}, toolbox{
		"erase": func(context.Context, chat.ToolUse) chat.ToolResult {
			t.Error("the tool was called")
			return chat.ToolResult{}
		},
	}, cut, text("Never said."))
	session, run := ask(t, service)
	if last := failed(t, follow(t, run, nil)); last.AllowRetry {
		t.Errorf("the run ended with %+v", last)
	}
	wantHistory(t, service, session.ID, "user_message: hello")
}

// The details of a step are stored as the provider puts them together.
func TestDetailsAreStoredWhole(t *testing.T) {
	t.Parallel()
	pieces := []chat.Chunk{{ReasoningDetails: []byte(`[{"a":1}]`)}, {ReasoningDetails: []byte(`[{"b":2}]`)}}
	service, model := withTools(t, runs.Options{JoinDetails: func(details json.RawMessage) json.RawMessage {
		return json.RawMessage(`["whole",` + string(details) + `]`)
	}}, toolbox{"look": gives("seen")}, append(pieces, calls("look")...), append(pieces, text("Done.")...))
	session, run := ask(t, service)
	follow(t, run, nil)
	want := `["whole",[{"a":1},{"b":2}]]`
	if got := string(itemsOf(t, service, session.ID)[1].ReasoningDetails); got != want {
		t.Errorf("the details are stored as %s", got)
	}
	if got := string(model.requests[1].Messages[1].ReasoningDetails); got != want {
		t.Errorf("the details are sent as %s", got)
	}
}

// Calls of a model that was offered no tools are ignored; its text is taken.
func TestCallsWithoutTools(t *testing.T) {
	t.Parallel()
	var names []string
	for n := range 40 {
		names = append(names, strconv.Itoa(n))
	}
	service, _ := withTools(t, runs.Options{}, nil, append(text("Done."), calls(names...)...))
	session, run := ask(t, service)
	follow(t, run, nil)
	wantHistory(t, service, session.ID, "user_message: hello", "assistant_message: Done.")
}
