package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

func (f *fixture) list(t *testing.T, user string, limit int, cursor *chat.SessionCursor) chat.SessionPage {
	t.Helper()
	page, err := f.ListSessions(t.Context(), user, chat.SessionQuery{Limit: limit, After: cursor})
	must(t, err)
	return page
}

func cursorOf(s chat.Session) *chat.SessionCursor {
	return &chat.SessionCursor{UpdatedAt: s.UpdatedAt, ID: s.ID}
}

// pages reads all pages of alice's sessions, of the given size.
func (f *fixture) pages(t *testing.T, size int) []chat.Session {
	t.Helper()
	var all []chat.Session
	var cursor *chat.SessionCursor
	for {
		page := f.list(t, alice, size, cursor)
		all = append(all, page.Sessions...)
		if page.HasMore && len(page.Sessions) != size {
			t.Fatalf("a page of %d has %d sessions and more behind it", size, len(page.Sessions))
		}
		if !page.HasMore {
			return all
		}
		if len(all) > 1000 {
			t.Fatal("the pages do not end")
		}
		cursor = cursorOf(page.Sessions[size-1])
	}
}

func newestFirst(a, b chat.Session) int {
	if c := b.UpdatedAt.Compare(a.UpdatedAt); c != 0 {
		return c
	}
	return bytes.Compare(b.ID[:], a.ID[:])
}

func listOrder(t *testing.T, f *fixture) {
	first := f.create(t, alice, start())
	second := f.create(t, alice, after(time.Second))
	third := f.create(t, alice, after(2*time.Second))
	f.create(t, bob, after(time.Minute))
	equal(t, "by creation", ids(f.pages(t, limit)), ids([]chat.Session{third, second, first}))

	run := f.begin(t, first, "hello", after(3*time.Second))
	page := f.list(t, alice, limit, nil)
	first.UpdatedAt, first.MessageCount, first.Title = after(3*time.Second), 1, "About hello"
	equal(t, "after a message", page.Sessions, []chat.Session{first, third, second})

	f.begin(t, second, "hello", after(4*time.Second))
	second.UpdatedAt = after(4 * time.Second)
	f.finish(t, run.Run, "hi", after(5*time.Second))
	first.UpdatedAt = after(5 * time.Second)
	equal(t, "after an answer", ids(f.pages(t, limit)), ids([]chat.Session{first, second, third}))
}

func listTies(t *testing.T, f *fixture) {
	var want []chat.Session
	for n := range 30 {
		session := newSession(alice, after(time.Duration(n/7)*time.Microsecond))
		must(t, f.CreateSession(t.Context(), session, 100))
		must(t, f.CreateSession(t.Context(), newSession(bob, session.CreatedAt), 100))
		want = append(want, session)
	}
	slices.SortFunc(want, newestFirst)
	for _, size := range []int{1, 2, 3, 7, 10, 29, 30, 31, 100} {
		equal(t, fmt.Sprintf("pages of %d", size), ids(f.pages(t, size)), ids(want))
	}
}

func listTotal(t *testing.T, f *fixture) {
	wantPage(t, "a user without sessions", f.list(t, alice, limit, nil), 0, 0, false)
	unknown := &chat.SessionCursor{UpdatedAt: start(), ID: uuid.New()}
	wantPage(t, "a user without sessions, after a cursor", f.list(t, alice, limit, unknown), 0, 0, false)
	for n := range 5 {
		f.create(t, alice, after(time.Duration(n)*time.Second))
		f.create(t, bob, after(time.Duration(n)*time.Second))
	}
	page := f.list(t, alice, 2, nil)
	wantPage(t, "first page", page, 2, 5, true)
	page = f.list(t, alice, 2, cursorOf(page.Sessions[1]))
	wantPage(t, "second page", page, 2, 5, true)
	page = f.list(t, alice, 2, cursorOf(page.Sessions[1]))
	wantPage(t, "last page", page, 1, 5, false)
	page = f.list(t, alice, 2, cursorOf(page.Sessions[0]))
	wantPage(t, "page after the last", page, 0, 5, false)
	wantPage(t, "all in one page", f.list(t, alice, 5, nil), 5, 5, false)
	wantPage(t, "a page of none", f.list(t, alice, 0, nil), 0, 5, true)
	wantPage(t, "a page of less than none", f.list(t, alice, -1, nil), 0, 5, true)
}

func wantPage(t *testing.T, what string, page chat.SessionPage, sessions, total int, more bool) {
	t.Helper()
	if len(page.Sessions) != sessions || page.Total != total || page.HasMore != more {
		t.Errorf("%s: %d sessions, total %d, more %t; want %d, %d, %t",
			what, len(page.Sessions), page.Total, page.HasMore, sessions, total, more)
	}
}

func listGoneCursor(t *testing.T, f *fixture) {
	var sessions []chat.Session
	for n := range 4 {
		sessions = append(sessions, f.create(t, alice, after(time.Duration(n)*time.Second)))
	}
	cursor := cursorOf(sessions[2])
	must(t, f.DeleteSession(t.Context(), alice, sessions[2].ID))
	page := f.list(t, alice, limit, cursor)
	equal(t, "sessions", ids(page.Sessions), ids([]chat.Session{sessions[1], sessions[0]}))
	equal(t, "total", page.Total, 3)
}

// listWhileTouched: a reader of all pages gets each session that does not change
// once and in order, though others change meanwhile.
func listWhileTouched(t *testing.T, f *fixture) {
	var still, busy []chat.Session
	for n := range 40 {
		session := newSession(alice, after(time.Duration(n)*time.Second))
		must(t, f.CreateSession(t.Context(), session, 100))
		if n%4 == 0 {
			busy = append(busy, session)
		} else {
			still = append(still, session)
		}
	}
	slices.Reverse(still)
	stop := make(chan struct{})
	touched := make(chan error, 1)
	go func() { touched <- f.touch(t, busy, stop) }()
	for range 20 {
		seen := f.pages(t, 3)
		seen = slices.DeleteFunc(seen, func(s chat.Session) bool { return s.MessageCount > 0 || isOf(busy, s.ID) })
		equal(t, "untouched sessions", ids(seen), ids(still))
	}
	close(stop)
	must(t, <-touched)
}

func isOf(sessions []chat.Session, id uuid.UUID) bool {
	return slices.ContainsFunc(sessions, func(s chat.Session) bool { return s.ID == id })
}

// touch starts and finishes runs in the sessions until stop is closed.
func (f *fixture) touch(t *testing.T, sessions []chat.Session, stop <-chan struct{}) error {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return nil
		default:
		}
		at := after(time.Hour + time.Duration(n)*time.Second)
		run := newRun(sessions[n%len(sessions)], "hello", at)
		if _, err := f.StartRun(t.Context(), run, limit); err != nil {
			return fmt.Errorf("start: %w", err)
		}
		run.Run.Status, run.Run.EndedAt = chat.RunCompleted, at
		if _, err := f.FinishRun(t.Context(), run.Run, one(newAnswer(run.Run, "hi", at))); err != nil {
			return fmt.Errorf("finish: %w", err)
		}
	}
}
