package openrouter_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/openrouter"
)

// callRecording is a body under testdata with tool calls or reasoning.
type callRecording struct {
	file string
	text string
	// reasoning is the reasoning text, and details the number of entries of
	// reasoning_details.
	reasoning string
	details   int
	calls     []chat.ToolCall
	finish    string
	usage     bool
	kind      chat.UpstreamKind
	status    int
}

// made is the id of a call for which upstream sent no usable id.
const made = "call_ and 26 characters"

var madeID = regexp.MustCompile(`^call_[A-Z2-7]{26}$`)

func callRecordings() []callRecording {
	const (
		called  = "tool_calls"
		rain    = "The user wants <rain>."
		stopped = "stop"
	)
	inParis := chat.ToolCall{ID: "call_a", Name: "weather", Arguments: `{"city":"Paris"}`}
	inRome := chat.ToolCall{ID: "call_b", Name: "weather", Arguments: `{"city":"Rome"}`}
	zone := chat.ToolCall{ID: "call_b", Name: "time", Arguments: `{"zone":"CET"}`}
	begun := chat.ToolCall{ID: "call_a", Name: "weather", Arguments: `{"city":"Pa`}
	empty := func(id string) chat.ToolCall { return chat.ToolCall{ID: id, Name: "time", Arguments: "{}"} }
	as := func(call chat.ToolCall, id string) chat.ToolCall { call.ID = id; return call }
	list := func(calls ...chat.ToolCall) []chat.ToolCall { return calls }
	return []callRecording{
		{file: "tool_calls.sse", calls: list(as(inParis, "call_1")), finish: called, usage: true},
		{file: "calls_parallel_interleaved.sse", calls: list(inParis, zone), finish: called, usage: true},
		{file: "calls_after_text.sse", text: "Let me look.", calls: list(inParis), finish: called, usage: true},
		{file: "calls_id_repeated.sse", calls: list(inParis, inRome), finish: called, usage: true},
		{file: "calls_id_blank_later.sse", calls: list(inParis), finish: called, usage: true},
		{file: "calls_new_id_later.sse", calls: list(as(inParis, "chatcmpl-tool-1")), finish: called, usage: true},
		{file: "calls_no_index_whole.sse", calls: list(inParis, inRome), finish: called},
		{file: "calls_no_index_pieces.sse", calls: list(inParis, zone), finish: called},
		{file: "calls_same_index.sse", calls: list(inParis, inRome, empty("call_c")), finish: called},
		{file: "calls_no_id.sse", calls: list(as(inParis, made), as(inRome, made), empty(made)), finish: called, usage: true},
		{file: "calls_same_id.sse", calls: list(as(inParis, "call_0"), empty(made)), finish: called, usage: true},
		{file: "calls_name_later.sse", calls: list(inParis), finish: called, usage: true},
		{file: "calls_arguments_object.sse", calls: list(
			chat.ToolCall{ID: "call_a", Name: "weather", Arguments: `{"city":"Paris","days":2}`},
			chat.ToolCall{ID: "call_b", Name: "time"}, chat.ToolCall{ID: "call_c", Name: "now"}), finish: called, usage: true},
		{file: "calls_index_rises.sse", calls: list(inParis), finish: called, usage: true},
		{file: "calls_index_from_one.sse", calls: list(inParis, empty("call_b")), finish: called, usage: true},
		{file: "calls_wrong_types.sse", text: "The end", calls: list(as(inParis, made)), finish: called, usage: true},
		{file: "calls_without_name.sse", finish: called, usage: true},
		{file: "calls_length.sse", calls: list(chat.ToolCall{ID: "call_a", Name: "weather", Arguments: `{"city":`}), finish: "length", usage: true},
		{file: "calls_reasoning_content.sse", reasoning: "The user wants rain.", calls: list(inParis), finish: called, usage: true},
		{file: "calls_reasoning_details.sse", reasoning: rain, details: 3, calls: list(as(inParis, "toolu_a")), finish: called, usage: true},
		{file: "not_streamed_calls.json", reasoning: "Hm.", details: 1, calls: list(inParis, empty("call_b")), finish: called, usage: true},
		{file: "calls_no_index_interleaved.sse", calls: list(inParis, zone), finish: called},
		{
			file: "calls_beside_text.sse", text: "a b c d e f", reasoning: "Hm.Hm.Hm.",
			calls: list(chat.ToolCall{ID: "call_a", Name: "count", Arguments: "111"}), finish: called,
		},

		{file: "not_streamed_calls_error.json", calls: list(inParis, empty("call_b")), usage: true, kind: chat.UpstreamBusy, status: http.StatusBadGateway},
		{file: "calls_cut_in_arguments.sse", calls: list(begun), kind: chat.UpstreamBroken},
		{file: "calls_cut_in_event.sse", calls: list(begun), kind: chat.UpstreamBroken},
		{file: "calls_error_later.sse", calls: list(begun), kind: chat.UpstreamBusy, status: http.StatusBadGateway},
		{file: "calls_too_many.sse", kind: chat.UpstreamBroken},

		{file: "reasoning.sse", text: paris, reasoning: "zebra The user asks aboutzebra", details: 2, finish: stopped, usage: true},
		{file: "reasoning_both_fields.sse", text: "Yes and no.", reasoning: "Hm.But.", finish: stopped, usage: true},
		{file: "reasoning_encrypted.sse", text: "Yes.", details: 1, finish: stopped, usage: true},
		{file: "reasoning_then_error.sse", reasoning: "Hm.", kind: chat.UpstreamBusy, status: http.StatusTooManyRequests},
	}
}

func TestRecordedCalls(t *testing.T) {
	t.Parallel()
	for _, want := range callRecordings() {
		t.Run(want.file, func(t *testing.T) {
			t.Parallel()
			body := recorded(t, want.file)
			for _, piece := range []int{1 << 20, 97} {
				server := upstream(t, replay(t, body, contentType(want.file), piece))
				want.check(t, ask(t.Context(), t, client(t, server.URL)))
			}
		})
	}
}

func (want callRecording) check(t *testing.T, result got) {
	t.Helper()
	if result.text != want.text || result.reasoning != want.reasoning || result.finish != want.finish {
		t.Errorf("text %q, reasoning %q, finish %q", result.text, result.reasoning, result.finish)
	}
	if len(result.details) != want.details {
		t.Errorf("%d details, want %d: %s", len(result.details), want.details, result.details)
	}
	want.checkCalls(t, result.calls)
	if want.kind == "" && result.err != nil {
		t.Errorf("failed: %v", result.err)
	}
	if want.kind != "" {
		checkFailure(t, result.err, want.kind, want.status)
	}
	if said := want.reasoning != "" || want.calls != nil; said && result.refused {
		t.Error("Stream failed, and what had come is lost")
	}
	if want.usage {
		checkUsage(t, result.usage)
	}
}

func (want callRecording) checkCalls(t *testing.T, calls []chat.ToolCall) {
	t.Helper()
	ids := map[string]bool{}
	for n := range calls {
		if ids[calls[n].ID] {
			t.Errorf("two calls have the id %q", calls[n].ID)
		}
		ids[calls[n].ID] = true
		if madeID.MatchString(calls[n].ID) {
			calls[n].ID = made
		}
	}
	if !reflect.DeepEqual(calls, want.calls) {
		t.Errorf("calls %+v\nwant  %+v", calls, want.calls)
	}
}

// TestReasoningDetailsAreJoined checks that joined details are those of a response
// without streaming, and that a signature follows all of its text.
func TestReasoningDetailsAreJoined(t *testing.T) {
	t.Parallel()
	server := upstream(t, replay(t, recorded(t, "calls_reasoning_details.sse"), "text/event-stream", 1<<20))
	result := ask(t.Context(), t, client(t, server.URL))
	details, err := json.Marshal(result.details)
	if err != nil {
		t.Fatal(err)
	}
	_, body := sentBy(t, "", chat.ModelRequest{Messages: []chat.Message{
		{Role: chat.RoleAssistant, ToolCalls: result.calls, ReasoningDetails: details},
	}})
	var sent struct {
		Messages []struct {
			Details json.RawMessage `json:"reasoning_details"`
		} `json:"messages"`
	}
	if err := json.Unmarshal([]byte(body), &sent); err != nil {
		t.Fatal(err)
	}
	checkJSON(t, string(sent.Messages[0].Details), `[{"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0,
		"text": "The user wants <rain>.", "signature": "Et8BCmUI+w=="}]`)
}

// TestSurrogatesOverTwoDetails checks that a surrogate pair in two pieces becomes one
// character, and that half a pair is replaced if pieces are joined. A single piece is
// unchanged.
func TestSurrogatesOverTwoDetails(t *testing.T) {
	t.Parallel()
	for want, bodies := range map[string][]string{
		"a🎉b":             {`a\ud83c`, `\udf89b`},
		"🎉🎉":              {`\uD83C`, `\uDF89\ud83c`, `\udf89`},
		"🎉 whole":         {`\ud83c\udf89`, ` whole`},
		"a🎉 later":        {`a\ud83c`, ``, `\udf89 later`},
		"a\ufffdb":        {`a\ud83c`, `b`},
		"a\ufffd🎉":        {`a\ud83c`, `\ud83c`, `\udf89`},
		"\ufffdb end":     {`\udf89b`, ` end`},
		"a end\ufffd":     {`a `, `end\ud83c`},
		"a\ufffdb\ufffdc": {`a\ud83cb`, `\udf89c`},
		`a\ud83c end`:     {`a\\ud83c`, ` end`},
		`\` + "🎉":         {`\\\ud83c`, `\udf89`},
		"":                {`\ud83c`},
	} {
		for kind, key := range map[string]string{"reasoning.text": "text", "reasoning.summary": "summary"} {
			var events []string
			for _, body := range bodies {
				events = append(events, `data: {"choices":[{"index":0,"delta":{"reasoning_details":[{"`+key+`":"`+body+
					`","type":"`+kind+`","index":0}]},"finish_reason":null}]}`+"\n\n")
			}
			result := answered(t, append(events, stopEvent, doneEvent)...)
			details, err := json.Marshal(result.details)
			if result.err != nil || err != nil {
				t.Fatal(result.err, err)
			}
			sent := string(openrouter.JoinDetails(details))
			if len(bodies) == 1 {
				want = `[{"` + key + `":"` + bodies[0] + `","type":"` + kind + `","index":0}]`
				if sent != want {
					t.Errorf("%q went back as %s, want %s", bodies, sent, want)
				}
				continue
			}
			var whole []map[string]any
			if err := json.Unmarshal([]byte(sent), &whole); err != nil || len(whole) != 1 || whole[0][key] != want {
				t.Errorf("%q went back as %s (%v), want %q", bodies, sent, err, want)
			}
		}
	}
}

func TestReasoningDetailWithLaterText(t *testing.T) {
	t.Parallel()
	_, body := sentBy(t, "", chat.ModelRequest{Messages: []chat.Message{{Role: chat.RoleAssistant, Content: "Yes.", ReasoningDetails: json.RawMessage(
		`[{"type":"reasoning.text","text":null,"id":"r","index":0},{"type":"reasoning.text","text":"ab","index":0}]`)}}})
	if !strings.Contains(body, `"reasoning_details":[{"id":"r","index":0,"text":"ab","type":"reasoning.text"}]`) {
		t.Errorf("sent %s", body)
	}
}

func TestUnsplitReasoningDetailsAreUnchanged(t *testing.T) {
	t.Parallel()
	for _, details := range []string{
		`[{"type":"reasoning.text","text":"a<b","signature":"s","index":0},{"type":"reasoning.text","text":"c","index":0}]`,
		`[{"z":1,"type":"reasoning.text","text":"a","index":0},{"type":"reasoning.text","text":"b","index":1}]`,
		`[{"type":"reasoning.text","text":"a"},{"type":"reasoning.text","text":"b"}]`,
		`[{"type":"reasoning.summary","summary":"a","id":"1","index":0},{"type":"reasoning.summary","summary":"b","id":"2","index":0}]`,
		`[{"type":"reasoning.encrypted","data":"a","index":0},{"type":"reasoning.encrypted","data":"b","index":0}]`,
		`[{"type":"reasoning.summary","summary":"a","index":0},{"type":"reasoning.text","text":"b","index":0}]`,
		`["of a kind to come",null]`,
		`[null,{"index":0}]`,
		`{"not":"a list"}`,
	} {
		_, body := sentBy(t, "", chat.ModelRequest{Messages: []chat.Message{
			{Role: chat.RoleAssistant, Content: "Yes.", ReasoningDetails: json.RawMessage(details)},
		}})
		if !strings.Contains(body, `"reasoning_details":`+details) {
			t.Errorf("sent %s\nwant %s", body, details)
		}
	}
}
