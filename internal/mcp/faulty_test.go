package mcp

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestToolsLeftOut: a tool that a model service would refuse is left out alone,
// and the log names it and the reason.
func TestToolsLeftOut(t *testing.T) {
	t.Parallel()
	tools := []string{
		`{"name":"good","inputSchema":{"type":"object","properties":{"a":{"type":"string","pattern":"^(?!x)"}},"required":["a"],"default":null}}`,
		`{"name":"null_required","inputSchema":{"type":"object","properties":null,"required":null}}`,
		`{"name":"draft4","inputSchema":{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","properties":{"n":{"type":"number","minimum":0,"exclusiveMinimum":true}}}}`,
		`{"name":"misplaced","inputSchema":{"type":"object","properties":{"a":{"type":"string"},"required":["a"]}}}`,
		`{"name":"badtype","inputSchema":{"type":"object","properties":{"a":{"type":"text"}}}}`,
		`{"name":"dangling","inputSchema":{"type":"object","properties":{"a":{"$ref":"#/$defs/none"}}}}`,
		`{"name":"outside","inputSchema":{"type":"object","properties":{"a":{"$ref":"file:///etc/passwd"}}}}`,
		`{"name":"badproperties","inputSchema":{"type":"object","properties":[]}}`,
		`{"name":"","inputSchema":{"type":"object"}}`,
		`{"inputSchema":{"type":"object"}}`,
		`{"name":"good","inputSchema":{"type":"object"}}`,
	}
	b := open(t, fakeHTTP(t, fake{List: `{"tools":[` + strings.Join(tools, ",") + `]}`, Call: seen}, nil))
	if got, want := b.names(), []string{"tasks__draft4", "tasks__good", "tasks__null_required"}; !slices.Equal(got, want) {
		t.Errorf("the tools are %q, want %q", got, want)
	}
	log := b.log.String()
	for _, words := range []string{
		`tool=misplaced reason="its schema is no JSON Schema: '/properties/required': got array, want boolean or object"`,
		`tool=badtype reason="its schema is no JSON Schema: '/properties/a/type': value must be one of`,
		`tool=dangling reason=`, `tool=outside reason=`, `tool=badproperties reason=`,
		`tool="" reason="it has no name"`, `tool=good reason="another tool has the same name"`,
	} {
		if !strings.Contains(log, words) {
			t.Errorf("the log has no %s", words)
		}
	}
}

// TestWarningsAreNotRepeated: the list is read often, and its faults are logged
// once a minute at most.
func TestWarningsAreNotRepeated(t *testing.T) {
	t.Parallel()
	p := brisk()
	p.check = time.Millisecond
	b := openAt(t, p, fakeHTTP(t, fake{List: `{"tools":[{"inputSchema":{}}]}`}, nil))
	first := b.servers[0].listing.Load()
	until(t, "the list is read again", func() bool { return b.servers[0].listing.Load() != first })
	if n := strings.Count(b.log.String(), "it has no name"); n != 1 {
		t.Errorf("the log has the warning %d times, want once", n)
	}
}

// TestEndlessList: a list whose cursor never changes, or that never ends, is
// read to a bound, and its tools are offered.
func TestEndlessList(t *testing.T) {
	t.Parallel()
	b := open(t, fakeHTTP(t, fake{List: `{"tools":[{"name":"look","inputSchema":{}}],"nextCursor":"same"}`, Call: seen}, nil))
	b.want("look", "", "seen")
	if log := b.log.String(); strings.Count(log, "does not end") != 1 || strings.Contains(log, "tool server is not connected") {
		t.Error("the log does not say once that the list does not end")
	}
	page := 0
	many := fakeHTTP(t, fake{Call: seen}, nextPage(&page))
	b = open(t, many)
	if names := b.names(); len(names) != maxTools || page != maxPages {
		t.Errorf("%d tools are offered after %d pages, want %d after %d", len(names), page, maxTools, maxPages)
	}
}

// TestErrorWithoutText: the model reads that the call failed, also where the
// tool gives no text.
func TestErrorWithoutText(t *testing.T) {
	t.Parallel()
	for result, want := range map[string]string{
		`{"isError":true}`:                                                       "The tool reported an error without a text.",
		`{"isError":true,"content":[]}`:                                          "The tool reported an error without a text.",
		`{"isError":true,"content":[{"type":"text","text":""}]}`:                 "The tool reported an error without a text.",
		`{"isError":true,"content":[{"type":"text","text":"out of milk"}]}`:      "out of milk",
		`{"isError":true,"content":[{"type":"image","data":"","mimeType":"x"}]}`: "The tool reported an error without a text.\n[an image, x, 0 bytes, which cannot be shown here]",
	} {
		t.Run(strconv.Itoa(len(result)), func(t *testing.T) {
			t.Parallel()
			if got := open(t, fakeHTTP(t, fake{List: oneTool, Call: result}, nil)).call("look", ""); !got.Failed || got.Text != want {
				t.Errorf("%s gave %+v, want %q", result, got, want)
			}
		})
	}
}
