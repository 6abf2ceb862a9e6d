package harness

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness/contract"
)

// completion is what a client reads from the upstream's stream.
type completion struct {
	calls              map[int]*Call
	reasoning, content string
	details            string
	finish             string
}

func complete(t *testing.T, u *Upstream, body string) completion {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u.URL+"/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+u.Key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	result := completion{calls: map[int]*Call{}}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && data != contract.EndOfStream {
			result.add(t, data)
		}
	}
	return result
}

func (r *completion) add(t *testing.T, data string) {
	t.Helper()
	var event struct {
		Choices []struct {
			Delta struct {
				Content   string `json:"content"`
				Reasoning string `json:"reasoning"`
				Other     string `json:"reasoning_content"`
				Details   []struct {
					Text string `json:"text"`
				} `json:"reasoning_details"`
				ToolCalls []struct {
					ChatCall

					Index int `json:"index"`
				} `json:"tool_calls"`
			} `json:"delta"`
			Finish string `json:"finish_reason"`
		} `json:"choices"`
	}
	if err := json.Unmarshal([]byte(data), &event); err != nil {
		t.Fatal(err)
	}
	for _, choice := range event.Choices {
		r.content += choice.Delta.Content
		r.reasoning += choice.Delta.Reasoning + choice.Delta.Other
		r.finish += choice.Finish
		for _, detail := range choice.Delta.Details {
			r.details += detail.Text
		}
		for _, piece := range choice.Delta.ToolCalls {
			if r.calls[piece.Index] == nil {
				r.calls[piece.Index] = &Call{}
			}
			call := r.calls[piece.Index]
			call.ID += piece.ID
			call.Name += piece.Function.Name
			call.Arguments += piece.Function.Arguments
		}
	}
}

func TestScriptWithToolsAndReasoning(t *testing.T) {
	t.Parallel()
	u := NewUpstream(t)
	first := Call{ID: "call_1", Name: "add_task", Arguments: `{"title":"Crème brûlée 🍮 für morgen"}`}
	second := Call{ID: "call_2", Name: "now", Arguments: `{}`}
	u.Answer("Do it", append(Script{Reasoning("Two tools. "), ReasoningContent("Both.")}, ToolCallAnswer(first, second)...), TextAnswer("Done", "."))
	got := complete(t, u, `{"model":"m","messages":[{"role":"user","content":"Do it"}]}`)
	want := completion{
		calls: map[int]*Call{0: &first, 1: &second}, reasoning: "Two tools. Both.", details: "Two tools. ", finish: "tool_calls",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the answer is %+v, its first call %+v", got, got.calls[0])
	}
	got = complete(t, u, `{"model":"m","messages":[{"role":"user","content":"Do it"}]}`)
	if got.content != "Done." || got.finish != "stop" || len(got.calls) > 0 {
		t.Errorf("the second answer is %+v", got)
	}
}

func TestRequestWithTools(t *testing.T) {
	t.Parallel()
	u := NewUpstream(t)
	complete(t, u, `{"model":"m","models":["b","c"],"tool_choice":{"type":"function","function":{"name":"look"}},
		"tools":[{"type":"function","function":{"name":"look","description":"Looks","parameters":{"type":"object"}}}],
		"messages":[{"role":"system","content":"Be kind."},
			{"role":"user","content":[{"type":"text","text":"What is"},{"type":"text","text":"this?"},
				{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},
			{"role":"assistant","content":null,"reasoning_details":[1],
				"tool_calls":[{"id":"call_1","type":"function","function":{"name":"look","arguments":"{}"}}]},
			{"role":"tool","tool_call_id":"call_1","content":"a cat"}]}`)
	request := u.Await(t, "What is\nthis?")
	body := request.Body
	if body.Model != "m" || !reflect.DeepEqual(body.Models, []string{"b", "c"}) || len(body.Tools) != 1 ||
		body.Tools[0].Function.Name != "look" || string(body.Tools[0].Function.Parameters) != `{"type":"object"}` ||
		!strings.Contains(string(body.ToolChoice), "look") {
		t.Errorf("read %+v", body)
	}
	if parts := body.Messages[1].Parts; len(parts) != 3 || parts[2].ImageURL.URL != "data:image/png;base64,AA==" {
		t.Errorf("parts %+v", parts)
	}
	if call := body.Messages[2]; call.Content != "" || len(call.ToolCalls) != 1 || call.ToolCalls[0].Function.Name != "look" ||
		string(call.ReasoningDetails) != "[1]" {
		t.Errorf("the assistant's message is %+v", call)
	}
	if results := request.Results(); !reflect.DeepEqual(results, map[string]string{"call_1": "a cat"}) {
		t.Errorf("results %v", results)
	}
}

// TestContentOfOtherTypeIsRefused checks that content which is neither a string
// nor a list of parts is refused.
func TestContentOfOtherTypeIsRefused(t *testing.T) {
	t.Parallel()
	u := NewUpstream(t)
	response, err := http.Post(u.URL+"/chat/completions", "application/json", //nolint:noctx // short and local
		strings.NewReader(`{"messages":[{"role":"user","content":7}]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Error(err)
	}
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", response.StatusCode)
	}
}
