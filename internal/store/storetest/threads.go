package storetest

import (
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

func threadStores(t *testing.T, f *fixture) {
	session := newSession(alice, start())
	run := newRun(session, "hello", after(time.Second))
	started, err := f.StartThread(t.Context(), session, limit, run)
	must(t, err)
	want := session
	want.Title, want.MessageCount, want.UpdatedAt = run.Title, 1, after(time.Second)
	equal(t, "started", started, chat.StartedRun{Session: want, TitleSet: true, TitleCut: true})
	f.wantRun(t, "run", run.Run.ID, run.Run)
	got, items, err := f.SessionWithItems(t.Context(), alice, session.ID)
	must(t, err)
	equal(t, "session read", got, want)
	equal(t, "items", items, []chat.Item{run.Message})
	equal(t, "total", f.list(t, alice, limit, nil).Total, 1)

	// The next message continues the thread.
	f.finish(t, run.Run, "hi", after(time.Minute))
	next := newRun(session, "more", after(time.Hour))
	more, err := f.StartRun(t.Context(), next, limit)
	must(t, err)
	equal(t, "history of the next", len(more.History), 2)
	equal(t, "title set by the next", more.TitleSet, false)
	equal(t, "title cut from the first", more.TitleCut, true)
	f.claimTitle(t, session, next.Run.ID, true)
	must(t, f.FinishTitle(t.Context(), chat.MadeTitle{SessionID: session.ID, RunID: next.Run.ID, Title: "A made one"}))
	equal(t, "title", f.session(t, session).Title, "A made one")

	untitled := newSession(bob, start())
	first := newRun(untitled, "", start())
	first.Title = ""
	started, err = f.StartThread(t.Context(), untitled, limit, first)
	must(t, err)
	equal(t, "title set by none", started.TitleSet || started.TitleCut, false)
	f.finish(t, first.Run, "hi", after(time.Minute))
	titling, err := f.StartRun(t.Context(), newRun(untitled, "more", after(time.Hour)), limit)
	must(t, err)
	equal(t, "title set by the second message", titling.TitleSet, true)
}

func threadLimit(t *testing.T, f *fixture) {
	begin := func(user string, limit int) error {
		session := newSession(user, start())
		_, err := f.StartThread(t.Context(), session, limit, newRun(session, "hello", start()))
		return err
	}
	must(t, begin(alice, 2))
	must(t, begin(alice, 2))
	wantCode(t, "the third of two", begin(alice, 2), chat.CodeSessionLimit)
	wantCode(t, "a limit of none", begin(bob, 0), chat.CodeSessionLimit)
	f.wantRows(t, "sessions", 2)
	f.wantRows(t, "runs", 2)
	f.wantRows(t, "items", 2)
}

func threadsAtOnce(t *testing.T, f *fixture) {
	begin := func(int) error {
		session := newSession(alice, start())
		_, err := f.StartThread(t.Context(), session, limit, newRun(session, "hello", start()))
		return err
	}
	wantOutcomes(t, atOnce(100, begin), limit, chat.CodeSessionLimit)
	f.wantRows(t, "sessions", limit)
	f.wantRows(t, "items", limit)
	equal(t, "total", f.list(t, alice, limit, nil).Total, limit)
}

func threadTaken(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	taken := f.begin(t, session, "hello", start())
	fresh := newSession(alice, start())
	sameSession, sameRun, sameMessage := newRun(session, "a", start()), newRun(fresh, "b", start()), newRun(fresh, "c", start())
	sameRun.Run.ID, sameMessage.Message.ID = taken.Run.ID, taken.Message.ID
	for name, try := range map[string]struct {
		session chat.Session
		run     chat.NewRun
	}{"session": {session, sameSession}, "run": {fresh, sameRun}, "message": {fresh, sameMessage}} {
		if _, err := f.StartThread(t.Context(), try.session, limit, try.run); err == nil {
			t.Errorf("a thread whose %s has an id that is taken was stored", name)
		}
	}
	f.wantRows(t, "sessions", 1)
	f.wantRows(t, "runs", 1)
	f.wantRows(t, "items", 1)
	equal(t, "total", f.list(t, alice, limit, nil).Total, 1)
}

func threadAttachments(t *testing.T, f *fixture) {
	attachment := f.uploaded(t, alice, start())
	session := newSession(alice, start())
	_, err := f.StartThread(t.Context(), session, limit, sending(session, after(time.Second), attachment))
	must(t, err)
	equal(t, "attachment's session", f.attachment(t, attachment.ID).SessionID, session.ID)
	again := newSession(alice, start())
	_, err = f.StartThread(t.Context(), again, limit, sending(again, after(time.Minute), attachment))
	if err == nil {
		t.Error("an attachment was sent twice")
	}
	f.wantRows(t, "sessions", 1)
}
