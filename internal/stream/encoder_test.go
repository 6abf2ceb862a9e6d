package stream

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/sse"
)

func encodeOne(t *testing.T, event chat.Event) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	out := sse.NewWriter(time.Second)
	out.Open(recorder)
	if err := newEncoder(out, Options{}).encode(event); err != nil {
		t.Fatal(err)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	data, ok := strings.CutPrefix(recorder.Body.String(), "data: ")
	data, ok2 := strings.CutSuffix(data, "\n\n")
	if !ok || !ok2 || strings.ContainsAny(data, "\r\n") {
		t.Fatalf("%q is not one event", recorder.Body)
	}
	return data
}

// TestDelta checks that encodeDelta encodes any text as the generated types do.
func TestDelta(t *testing.T) {
	t.Parallel()
	item := uuid.New()
	for _, text := range []string{
		" word", "", `"quoted" \ back`, "line\nbreak\r\n\t", "ünïcödé 🙂 漢字", "\u2028\u2029", "<b>&amp;</b>", "\x01\x7f",
		"half a rune: \xf0\x9f",
	} {
		data := encodeOne(t, &chat.TextDelta{ItemID: item, Index: 1, Delta: text})
		var event api.ThreadStreamEvent
		if err := json.Unmarshal([]byte(data), &event); err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		updated, err := event.AsThreadItemUpdatedEvent()
		if err != nil {
			t.Fatal(err)
		}
		delta, err := updated.Update.AsAssistantMessageContentPartTextDelta()
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.ValidString(data) {
			t.Errorf("%q is not UTF-8", data)
		}
		if want := string([]rune(text)); delta.Delta != want || delta.ContentIndex != 1 || updated.ItemID != item {
			t.Errorf("%q became %q, index %d, item %s", text, delta.Delta, delta.ContentIndex, updated.ItemID)
		}
		var same api.ThreadItemUpdate
		if err := same.FromAssistantMessageContentPartTextDelta(delta); err != nil {
			t.Fatal(err)
		}
		generated, err := json.Marshal(api.ThreadItemUpdatedEvent{
			Type: api.ThreadItemUpdatedEventTypeThreadItemUpdated, ItemID: item, Update: same,
		})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.ContainsAny(text, "<>&\u2028\x7f") && utf8.ValidString(text) && data != string(generated) {
			t.Errorf("encoded %s\ngenerated %s", data, generated)
		}
	}
}

func BenchmarkDelta(b *testing.B) {
	out := sse.NewWriter(time.Minute)
	out.Open(httptest.NewRecorder())
	encoder := newEncoder(out, Options{})
	delta := &chat.TextDelta{ItemID: uuid.New(), Delta: " word"}
	b.ReportAllocs()
	for b.Loop() {
		if err := encoder.encode(delta); err != nil {
			b.Fatal(err)
		}
		out.Buffer().Reset()
	}
}
