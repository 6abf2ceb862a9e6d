package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// found is what a start was told before it was stored.
type found struct {
	times    int
	history  []chat.Item
	returned bool
}

// telling makes a start tell what it finds.
func telling(t *testing.T, run *chat.NewRun) *found {
	t.Helper()
	f := &found{}
	run.Found = func(history []chat.Item) {
		if f.times++; f.returned {
			t.Error("a start is told what it finds after it has returned")
		}
		f.history = history
	}
	return f
}

// startFinds: a start may be told of its history before it is stored, but of no
// other, and not if it is refused.
func startFinds(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	first := newRun(session, "separators \x1e and \x1f, \"quotes\" and \u2028", after(time.Second))
	first.Message.Content = append(first.Message.Content, chat.Content{Type: chat.ContentInputTag, Text: "\x1e", Tag: &chat.Tag{
		ID: "\x1f", Data: json.RawMessage(`{"\u001e":"\u001f"}`),
	}})
	none := telling(t, &first)
	_, err := f.StartRun(t.Context(), first, limit)
	must(t, err)
	none.returned = true
	equal(t, "what the first message finds", len(none.history), 0)

	second := newRun(session, "too early", after(time.Second))
	busy := telling(t, &second)
	_, err = f.StartRun(t.Context(), second, limit)
	wantCode(t, "a second run", err, chat.CodeRunInProgress)
	calls := newItem(first.Run, chat.ItemToolCalls, after(2*time.Second))
	result := "\x1f\x1e"
	calls.ToolCalls = []chat.ToolCall{{ID: "a", Name: "\x1e", Arguments: "\x1f", Result: &result}}
	calls.ReasoningDetails = json.RawMessage(`["\u001e", null]`)
	must(t, f.AddItems(t.Context(), first.Run, []chat.Item{calls}))
	answer := f.finish(t, first.Run, "yes", after(3*time.Second))

	foreign := newRun(session, "not mine", after(4*time.Second))
	foreign.UserID = bob
	stranger := telling(t, &foreign)
	_, err = f.StartRun(t.Context(), foreign, limit)
	wantCode(t, "another user's", err, chat.CodeForbidden)
	missing := newRun(newSession(alice, start()), "nowhere", after(4*time.Second))
	nowhere := telling(t, &missing)
	_, err = f.StartRun(t.Context(), missing, limit)
	wantCode(t, "missing", err, chat.CodeSessionNotFound)
	equal(t, "times that a refused start was told", busy.times+stranger.times+nowhere.times, 0)

	third := newRun(session, "and now?", after(5*time.Second))
	all := telling(t, &third)
	started, err := f.StartRun(t.Context(), third, limit)
	must(t, err)
	all.returned = true
	want := []chat.Item{first.Message, calls, answer}
	equal(t, "history", started.History, want)
	if all.times > 0 {
		equal(t, "what the third message finds", all.history, want)
	}
	if all.times > 1 || none.times > 1 {
		t.Errorf("starts are told %d and %d times", none.times, all.times)
	}
}

// threadFinds: the same of a session that is made with its first run.
func threadFinds(t *testing.T, f *fixture) {
	session := newSession(alice, start())
	run := newRun(session, "hello", start())
	first := telling(t, &run)
	_, err := f.StartThread(t.Context(), session, 1, run)
	must(t, err)
	first.returned = true
	equal(t, "what a first message finds", len(first.history), 0)
	next := newSession(alice, start())
	one := newRun(next, "hello", start())
	more := telling(t, &one)
	_, err = f.StartThread(t.Context(), next, 1, one)
	wantCode(t, "one too many", err, chat.CodeSessionLimit)
	if first.times > 1 || more.times > 0 {
		t.Errorf("starts are told %d and %d times, want one at most and none", first.times, more.times)
	}
}

// foundChanges: what changes a thread between what a start is told and its being
// stored, the start knows of.
func foundChanges(t *testing.T, f *fixture) {
	for name, change := range map[string]func(session chat.Session, first chat.NewRun){
		"a retry that makes nothing": func(session chat.Session, first chat.NewRun) {
			again := newRun(session, "", after(4*time.Second)).Run
			_, err := f.RetryRun(t.Context(), chat.Retry{UserID: alice, Run: again, ItemID: first.Message.ID}, limit)
			must(t, err)
			again.Status, again.EndedAt = chat.RunFailed, after(5*time.Second)
			_, err = f.FinishRun(t.Context(), again, nil)
			must(t, err)
		},
		"a retry": func(session chat.Session, first chat.NewRun) {
			again := newRun(session, "", after(4*time.Second)).Run
			_, err := f.RetryRun(t.Context(), chat.Retry{UserID: alice, Run: again, ItemID: first.Message.ID}, limit)
			must(t, err)
			f.finish(t, again, "another", after(5*time.Second))
		},
		"another message": func(session chat.Session, _ chat.NewRun) {
			f.finish(t, f.begin(t, session, "in between", after(4*time.Second)).Run, "yes", after(5*time.Second))
		},
	} {
		session := f.create(t, alice, start())
		first := f.begin(t, session, "first", after(time.Second))
		f.finish(t, first.Run, "bad", after(2*time.Second))
		second := newRun(session, "second", after(6*time.Second))
		told := false
		second.Found = func([]chat.Item) {
			told = true
			change(session, first)
		}
		started, err := f.StartRun(t.Context(), second, limit)
		must(t, err)
		items := f.items(t, session)
		equal(t, name+": history", started.History, items[:len(items)-1])
		equal(t, name+": misled", started.Misled, told)
		f.finish(t, second.Run, "well", after(7*time.Second))
		third := f.begin(t, session, "third", after(8*time.Second))
		again, err := f.StartRun(t.Context(), newRun(session, "busy", after(9*time.Second)), limit)
		wantCode(t, name+": a second run", err, chat.CodeRunInProgress)
		equal(t, name+": misled by none", again.Misled, false)
		f.finish(t, third.Run, "done", after(9*time.Second))
		last := newRun(session, "last", after(10*time.Second))
		started, err = f.StartRun(t.Context(), last, limit)
		must(t, err)
		items = f.items(t, session)
		equal(t, name+": the last history", started.History, items[:len(items)-1])
	}
}

// foundLeaves: what a start was told of is stored, though its client goes away
// just then.
func foundLeaves(t *testing.T, f *fixture) {
	session, made := f.create(t, alice, start()), newSession(alice, start())
	again, first := newRun(session, "again", after(time.Second)), newRun(made, "first", after(time.Second))
	for _, step := range []struct {
		run   chat.NewRun
		begin func(ctx context.Context, run chat.NewRun) error
	}{
		{again, func(ctx context.Context, run chat.NewRun) error {
			_, err := f.StartRun(ctx, run, limit)
			return err
		}},
		{first, func(ctx context.Context, run chat.NewRun) error {
			_, err := f.StartThread(ctx, made, limit, run)
			return err
		}},
	} {
		ctx, leave := context.WithCancel(t.Context())
		step.run.Found = func([]chat.Item) { leave() }
		err := step.begin(ctx, step.run)
		leave()
		must(t, err)
		equal(t, "run", f.run(t, step.run.Run.ID), step.run.Run)
	}
	equal(t, "items", f.items(t, session), []chat.Item{again.Message})
	equal(t, "items of the new thread", f.items(t, made), []chat.Item{first.Message})
}

// foundPanics: what goes wrong in who is told leaves nothing behind.
func foundPanics(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := newRun(session, "hello", after(time.Second))
	told := false
	run.Found = func([]chat.Item) {
		told = true
		panic(errors.New("boom"))
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = f.StartRun(t.Context(), run, limit)
	}()
	if told {
		f.wantRows(t, "runs", 0)
		f.wantRows(t, "items", 0)
		f.begin(t, session, "again", after(2*time.Second))
	}
}
