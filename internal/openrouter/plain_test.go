package openrouter

import (
	"encoding/json"
	"fmt"
	"testing"
)

// FuzzPlainEvent: what is read the short way is what is read in full.
func FuzzPlainEvent(f *testing.F) {
	for _, data := range append(plainEvents, otherEvents...) {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		plain, ok := plainEvent(data)
		if !ok {
			return
		}
		var full event
		if err := json.Unmarshal(data, &full); err != nil {
			t.Fatalf("it was read the short way, and in full: %v", err)
		}
		if got, want := fmt.Sprintf("%+v", plain), fmt.Sprintf("%+v", full); got != want {
			t.Errorf("it was read as %s, and in full as %s", got, want)
		}
	})
}

var plainEvents = []string{
	`{"id":"gen-1","provider":"OpenAI","model":"openai/gpt-5","object":"chat.completion.chunk","created":1761054747,` +
		`"choices":[{"index":0,"delta":{"role":"assistant","content":" a word"},"finish_reason":null,"native_finish_reason":null,"logprobs":null}]}`,
	`{"id":"chatcmpl-1","model":"gpt-5","system_fingerprint":null,"service_tier":"default","obfuscation":"aB3",` +
		`"choices":[{"index":0,"delta":{"content":"ein „Wört\u0065rbuch“\n","refusal":null},"finish_reason":null}],"usage":null}`,
	`{"choices":[{"delta":{"content":""}}]}`,
	`{ "choices" : [ { "delta" : { "role" : "assistant" } , "index" : 0 } ] }`,
	`{"choices":[{"index":0,"delta":{"content":"one \ud83d\ude00, half \ud83d"}}]}`,
	`{"id":"a","id":"b","choices":[{"index":0,"delta":{"content":"c"},"delta":{"content":"d"}}]}`,
	"{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"no UTF-8: \xff\"}}]}",
	`{"\u0069d":"a","choices":[{"index":0,"delta":{"cont\u0065nt":"c"}}]}`,
}

var otherEvents = []string{
	``, `{}`, `[]`, `null`, `"text"`, `{"choices":[]}`, `{"choices":[null]}`, `{"choices":{}}`, `{"choices":null}`,
	`{"choices":[{"index":0,"delta":{"content":"cut`,
	`{"choices":[{"index":0,"delta":{"content":"a"}}]} {}`,
	`{"choices":[{"index":1,"delta":{"content":"a"}}]}`,
	`{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]}`,
	`{"choices":[{"index":0,"delta":{"content":"a"}}],"choices":[{"index":0,"delta":{}}]}`,
	`{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}`,
	`{"choices":[{"index":0,"delta":{"content":"a"},"error":{"code":502}}]}`,
	`{"choices":[{"index":0,"delta":{"content":"a"}}],"choices":null}`,
	`{"choices":[{"index":0,"delta":{"content":"a"}}],"CHOICES":null}`,
	`{"choices":[{"index":0,"delta":{"content":"a","content":null}}]}`,
	`{"choices":[{"index":0,"delta":{"content":"a","Content":null}}]}`,
	`{"choices":[{"index":0,"delta":{"content":null"a"}}]}`,
	`{"choices":[{"index":0,"delta":{"content":["a"]}}]}`,
	`{"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"a"}]}}]}`,
	`{"choices":[{"index":0,"delta":{"content":"a","reasoning":"b"}}]}`,
	`{"choices":[{"index":0,"delta":{"content":"a","tool_calls":[{"index":0}]}}]}`,
	`{"choices":[{"index":0,"delta":{"content":"a","annotations":[]}}]}`,
	`{"choices":[{"index":0,"message":{"content":"a"}}]}`,
	`{"choices":[{"index":0,"delta":{"Content":"a"}}]}`,
	`{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":1}}`,
	`{"choices":[{"index":0,"delta":{"content":"a"}}],"error":"b"}`,
	`{"id":1,"choices":[{"index":0,"delta":{"content":"a"}}]}`,
}

// A text of a stream that is alike costs one allocation, the text itself.
//
//nolint:paralleltest // it counts what the process allocates
func TestTextOfAPatternIsOneAllocation(t *testing.T) {
	var p pattern
	chunk := []byte(`{"choices":[{"index":0,"delta":{"content":"a text that is longer than a word"}}]}`)
	p.learn(chunk, "a text that is longer than a word")
	if _, ok := p.text(chunk); !ok {
		t.Fatal("the pattern was not learned")
	}
	if count := testing.AllocsPerRun(100, func() { p.text(chunk) }); count > 1 {
		t.Errorf("%v allocations", count)
	}
}

// TestPlainEvents: the usual chunks are read the short way, and no others.
func TestPlainEvents(t *testing.T) {
	for _, data := range plainEvents {
		if _, ok := plainEvent([]byte(data)); !ok {
			t.Errorf("it is not read the short way: %s", data)
		}
	}
	for _, data := range otherEvents {
		if _, ok := plainEvent([]byte(data)); ok {
			t.Errorf("it is read the short way: %s", data)
		}
	}
}
