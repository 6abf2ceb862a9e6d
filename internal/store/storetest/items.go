package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

func itemsNone(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	got, items, err := f.SessionWithItems(t.Context(), alice, session.ID)
	must(t, err)
	equal(t, "session", got, session)
	equal(t, "items", len(items), 0)
}

func itemsStored(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := newRun(session, "", after(time.Second))
	run.Message.Content = []chat.Content{
		{Type: chat.ContentInputText, Text: "first part"}, {Type: chat.ContentInputText, Text: "second part"},
	}
	_, err := f.StartRun(t.Context(), run, limit)
	must(t, err)
	empty, result := "", `{"temperature": 21.5, "unit": "°C", "quote": "\"<&>\""}`
	answer := newAnswer(run.Run, "It is warm.", after(2*time.Second+time.Microsecond))
	answer.ToolCalls = []chat.ToolCall{
		{ID: "call_1", Name: "weather", Arguments: `{"city": "Athens"}`, Result: &result},
		{ID: "call_2", Name: "broken", Arguments: `{"not json`, Result: &empty, CallFailed: true},
		{ID: "call_3", Name: "unanswered", Arguments: ``},
	}
	end := run.Run
	end.Status, end.EndedAt = chat.RunCompleted, after(3*time.Second)
	_, err = f.FinishRun(t.Context(), end, one(answer))
	must(t, err)

	got, items, err := f.SessionWithItems(t.Context(), alice, session.ID)
	must(t, err)
	equal(t, "items", items, []chat.Item{run.Message, *answer})
	equal(t, "session", got, f.session(t, session))
	equal(t, "message count", got.MessageCount, 2)
	equal(t, "updated_at", got.UpdatedAt, after(3*time.Second))
	f.wantRows(t, "items", 2)
}

func itemsOrder(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	var want []string
	for n := range 60 {
		// All have the same time, so that only the order of storing decides.
		run := f.begin(t, session, fmt.Sprint("question ", n), start())
		f.finish(t, run.Run, fmt.Sprint("answer ", n), start())
		want = append(want, fmt.Sprint("question ", n), fmt.Sprint("answer ", n))
	}
	equal(t, "texts", texts(f.items(t, session)), want)
	equal(t, "message count", f.session(t, session).MessageCount, 120)
}

func texts(items []chat.Item) []string {
	out := make([]string, len(items))
	for n, item := range items {
		out[n] = item.Text()
	}
	return out
}

func itemsOwner(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	f.begin(t, session, "secret", after(time.Second))
	_, items, err := f.SessionWithItems(t.Context(), bob, session.ID)
	wantCode(t, "another user's", err, chat.CodeForbidden)
	equal(t, "items for another user", len(items), 0)
	_, _, err = f.SessionWithItems(t.Context(), alice, uuid.New())
	wantCode(t, "missing", err, chat.CodeSessionNotFound)
}

func itemsUnicode(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	all := []string{
		"", " ", "\n\r\t", `"quotes" 'quotes' \backslash\ /slash/`, "<script>&amp;</script>",
		"Grüße, Ψυχή, Привет", "مرحبا بالعالم \u202Eimmune\u202C", "שלום", "你好，世界", "नमस्ते",
		"👩‍👩‍👧‍👦 🏳️‍🌈 🇬🇷", "𝕬𐍈😀", "e\u0301 versus \u00e9", "\u2028\u2029\uFEFF\u200B", "\u0001\u001f\u007f\uFFFD",
		strings.Repeat("0123456789 ", 100_000), "?, $1, @name, :name, {{}}",
	}
	for n, text := range all {
		at := after(time.Duration(n) * time.Second)
		run := newRun(session, text, at)
		run.Title = text
		_, err := f.StartRun(t.Context(), run, limit)
		must(t, err)
		f.finish(t, run.Run, text, at)
	}
	items := f.items(t, session)
	equal(t, "items", len(items), 2*len(all))
	for n, item := range items {
		if got, want := item.Text(), all[n/2]; got != want {
			t.Errorf("item %d: got %.50q, want %.50q", n, got, want)
		}
	}
}
