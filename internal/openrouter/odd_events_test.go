package openrouter_test

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// TestErrorForms checks that an error within an answer fails the answer, in each form
// and also if [DONE] follows, and that the text before is kept.
func TestErrorForms(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		event  string
		kind   chat.UpstreamKind
		status int
	}{
		"a field":                    {`error: {"code":429,"message":"zebra"}` + "\n\n", chat.UpstreamBusy, 429},
		"a field with a member":      {`error: {"error":{"code":"401","message":"zebra"}}` + "\n\n", chat.UpstreamCredentials, 401},
		"a field with a text":        {"error: zebra\n\n", chat.UpstreamBroken, 0},
		"a type and details":         {"event: error\ndata: {\"code\":503,\"message\":\"zebra\"}\n\n", chat.UpstreamBusy, 503},
		"a type and a member":        {"event: error\ndata: {\"error\":{\"code\":402}}\n\n", chat.UpstreamPayment, 402},
		"a type and a text":          {"event: error\ndata: zebra\n\n", chat.UpstreamBroken, 0},
		"a type, after the data":     {"data: {\"detail\":\"zebra\"}\nevent: error\n\n", chat.UpstreamBroken, 0},
		"a type and JSON false":      {"event: error\ndata: false\n\n", chat.UpstreamBroken, 0},
		"an error object":            {`data: {"object":"error","message":"zebra","type":"BadRequestError","code":400}` + "\n\n", chat.UpstreamBadRequest, 400},
		"an object of type error":    {`data: {"type":"error","code":"rate_limit_exceeded"}` + "\n\n", chat.UpstreamBusy, 0},
		"a message":                  {`data: {"message":"zebra","code":504}` + "\n\n", chat.UpstreamTimeout, 504},
		"a detail":                   {`data: {"detail":"zebra"}` + "\n\n", chat.UpstreamBroken, 0},
		"a JSON string":              {`data: "zebra"` + "\n\n", chat.UpstreamBroken, 0},
		"a text":                     {"data: zebra\n\n", chat.UpstreamBroken, 0},
		"a bare line":                {`{"error":{"code":502,"message":"zebra"}}` + "\n\n", chat.UpstreamBusy, 502},
		"a bare body of many lines":  {"{\n  \"error\": {\n    \"code\": 502\n  }\n}\n\n", chat.UpstreamBroken, 0},
		"an unknown object":          {`data: {"status":"zebra"}` + "\n\n", chat.UpstreamBroken, 0},
		"a line of another protocol": {"Traceback: zebra\n\n", chat.UpstreamBroken, 0},
		"a call that is cut":         {callEvent(`{\"a\":`), chat.UpstreamBroken, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := answered(t, textEvent, want.event, doneEvent)
			if result.text != "word " || result.refused {
				t.Errorf("text %q, error %v", result.text, result.err)
			}
			checkFailure(t, result.err, want.kind, want.status)
		})
	}
}

// TestErrorTypeIsOfOneEvent checks that the type of an event applies only to that
// event.
func TestErrorTypeIsOfOneEvent(t *testing.T) {
	t.Parallel()
	if result := answered(t, "event: error\n\n", textEvent, "event: message\n", textEvent, stopEvent, doneEvent); result.err != nil || result.text == "" {
		t.Errorf("text %q, error %v", result.text, result.err)
	}
}

// TestFillerEvents checks that events which only keep a connection open are ignored.
func TestFillerEvents(t *testing.T) {
	t.Parallel()
	for _, data := range []string{": keepalive", ":", "null", " null ", "", "{}", "[]", `""`, "ping", "Keep-Alive", ": OPENROUTER PROCESSING for a while", `{"type":"ping"}`} {
		event := "data: " + data + "\n\n"
		if result := answered(t, event, textEvent, event, stopEvent, event, doneEvent); result.err != nil || result.text != "word " {
			t.Errorf("%q: text %q, error %v", data, result.text, result.err)
		}
		if result := answered(t, textEvent, event, doneEvent); result.err != nil || result.text != "word " {
			t.Errorf("%q, and no finish reason: text %q, error %v", data, result.text, result.err)
		}
	}
}

// TestCallsInAnotherChoice checks that calls in another choice than the text are read.
func TestCallsInAnotherChoice(t *testing.T) {
	t.Parallel()
	const call = `data: {"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"time","arguments":"{}"}}]}}]}` + "\n\n"
	const called = `data: {"choices":[{"index":1,"delta":{},"finish_reason":"tool_calls"}]}` + "\n\n"
	other := chat.ToolCall{ID: "b", Name: "time", Arguments: "{}"}
	for name, want := range map[string]struct {
		events []string
		calls  []chat.ToolCall
		finish string
	}{
		"alone":          {[]string{textEvent, call, called, doneEvent}, []chat.ToolCall{other}, chat.FinishToolCalls},
		"before the end": {[]string{textEvent, call, stopEvent, called, doneEvent}, []chat.ToolCall{other}, chat.FinishToolCalls},
		"after the end":  {[]string{textEvent, stopEvent, call, called, doneEvent}, []chat.ToolCall{other}, chat.FinishStop},
		"beside another": {
			[]string{textEvent, callEvent(`{\"a\":`), call, callEvent(`1}`), called, doneEvent},
			[]chat.ToolCall{{ID: "a", Name: "look", Arguments: `{"a":1}`}, other},
			chat.FinishToolCalls,
		},
		"not streamed": {
			[]string{`{"choices":[{"index":0,"message":{"content":"word "},"finish_reason":"stop"},` +
				`{"index":1,"message":{"tool_calls":[{"id":"b","function":{"name":"time","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`},
			[]chat.ToolCall{other},
			chat.FinishToolCalls,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := answered(t, want.events...)
			if result.err != nil || result.text != "word " || result.finish != want.finish || !reflect.DeepEqual(result.calls, want.calls) {
				t.Errorf("text %q, calls %+v, finish %q, error %v", result.text, result.calls, result.finish, result.err)
			}
		})
	}
}

// TestFlatCitations checks that citations without url_citation are read.
func TestFlatCitations(t *testing.T) {
	t.Parallel()
	result := answered(t, `data: {"choices":[{"index":0,"delta":{"content":"News.","annotations":[`+
		`{"type":"url_citation","url":"https://example.com/a","title":"A","start_index":0,"end_index":4},`+
		`{"type":"url_citation","url_citation":{"url":"https://example.com/b","title":"B"}},`+
		`{"type":"file_citation","url":"https://example.com/c"}]}}]}`+"\n\n", stopEvent, doneEvent)
	end := 4
	want := []chat.Annotation{{URL: "https://example.com/a", Title: "A", Index: &end}, {URL: "https://example.com/b", Title: "B"}}
	if !reflect.DeepEqual(result.sources, want) || result.err != nil {
		t.Errorf("sources %+v, error %v", result.sources, result.err)
	}
}

// TestErrorObjectInPlaceOfAStream checks that a JSON error instead of a stream has the
// kind that its object names.
func TestErrorObjectInPlaceOfAStream(t *testing.T) {
	t.Parallel()
	result := answered(t, `{"object":"error","message":"zebra","type":"BadRequestError","param":null,"code":400}`)
	checkFailure(t, result.err, chat.UpstreamBadRequest, http.StatusBadRequest)
}
