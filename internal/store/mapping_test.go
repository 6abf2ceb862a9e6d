package store

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// plainContent and the decoder return the same content.
func TestPlainContentIsWhatTheDecoderReads(t *testing.T) {
	t.Parallel()
	index := 1
	for name, c := range map[string]struct {
		content []chat.Content
		plain   bool
	}{
		"none":         {[]chat.Content{}, false},
		"a text":       {[]chat.Content{{Type: chat.ContentInputText, Text: "Hello, wörld 🙂"}}, true},
		"an empty one": {[]chat.Content{{Type: chat.ContentOutputText}}, true},
		"what looks like more parts": {[]chat.Content{{
			Type: chat.ContentOutputText, Text: `"},{"type":"input_text","text":"`,
		}}, false},
		"escapes":   {[]chat.Content{{Type: chat.ContentOutputText, Text: "a\nb\\ \"c\" <d>"}}, false},
		"two parts": {[]chat.Content{{Type: chat.ContentInputText, Text: "a"}, {Type: chat.ContentInputText, Text: "b"}}, false},
		"a tag": {[]chat.Content{{
			Type: chat.ContentInputTag, Text: "@tom", Tag: &chat.Tag{ID: "1", Data: json.RawMessage(`{}`)},
		}}, false},
		"a source": {[]chat.Content{{
			Type: chat.ContentOutputText, Text: "a", Annotations: []chat.Annotation{{URL: "https://a.example", Index: &index}},
		}}, false},
	} {
		column, err := fromChatContent(c.content)
		if err != nil {
			t.Fatal(err)
		}
		if _, plain := plainContent([]byte(column)); plain != c.plain {
			t.Errorf("%s: read the short way: %t", name, plain)
		}
		got, err := toChatContent([]byte(column))
		if err != nil || !reflect.DeepEqual(got, c.content) {
			t.Errorf("%s: %+v, error %v, want %+v", name, got, err, c.content)
		}
	}
	for _, broken := range []string{"", "[", `[{"type":"input_text","text":"a"}`, `[{"type":"a"b","text":""}]`, `{"type":"a","text":""}`} {
		if content, err := toChatContent([]byte(broken)); err == nil {
			t.Errorf("%s was read as %+v", broken, content)
		}
	}
}
