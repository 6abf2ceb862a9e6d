package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

func createStores(t *testing.T, f *fixture) {
	plain := newSession(alice, start())
	titled := newSession(alice, after(time.Second))
	titled.Title, titled.UpdatedAt = "A title", after(time.Minute)
	for _, session := range []chat.Session{plain, titled} {
		must(t, f.CreateSession(t.Context(), session, limit))
		equal(t, "session", f.session(t, session), session)
	}
}

func createLimit(t *testing.T, f *fixture) {
	for n := range 3 {
		must(t, f.CreateSession(t.Context(), newSession(alice, after(time.Duration(n))), 3))
	}
	err := f.CreateSession(t.Context(), newSession(alice, start()), 3)
	wantCode(t, "the fourth of three", err, chat.CodeSessionLimit)
	if err != nil && !strings.Contains(err.Error(), "3") {
		t.Errorf("error %q does not name the limit", err)
	}
	must(t, f.CreateSession(t.Context(), newSession(alice, start()), 4))
	wantCode(t, "a lowered limit", f.CreateSession(t.Context(), newSession(alice, start()), 2), chat.CodeSessionLimit)
	wantCode(t, "a limit of none", f.CreateSession(t.Context(), newSession(bob, start()), 0), chat.CodeSessionLimit)
	must(t, f.CreateSession(t.Context(), newSession(bob, start()), 1))
	f.wantRows(t, "sessions", 5)
}

func createAtOnce(t *testing.T, f *fixture) {
	create := func(int) error { return f.CreateSession(t.Context(), newSession(alice, start()), limit) }
	wantOutcomes(t, atOnce(100, create), limit, chat.CodeSessionLimit)
	f.wantRows(t, "sessions", limit)

	page := f.list(t, alice, limit, nil)
	for _, session := range page.Sessions[:4] {
		must(t, f.DeleteSession(t.Context(), alice, session.ID))
	}
	wantOutcomes(t, atOnce(100, create), 4, chat.CodeSessionLimit)
	f.wantRows(t, "sessions", limit)
	equal(t, "total", f.list(t, alice, limit, nil).Total, limit)
}

func createFailed(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	err := f.CreateSession(t.Context(), session, limit) // The id is taken.
	if err == nil {
		t.Fatal("a second session with the same id was stored")
	}
	if strings.Contains(err.Error(), session.ID.String()) || strings.Contains(err.Error(), alice) {
		t.Errorf("error %q holds a value", err)
	}
	wantCode(t, "a taken id", err, "")
	equal(t, "total", f.list(t, alice, limit, nil).Total, 1)
}

func oddUsers(t *testing.T, f *fixture) {
	users := []string{
		`o'brien "the" \ -- ; DROP TABLE users`, "%", "_", "?", "$1", "Alice", "alice", "alice ", " ", "\t\n",
		strings.Repeat("x", 255), strings.Repeat("x", 254), "ünï", "u\u0308ni", "مستخدم", "用户", "👩‍👩‍👧", "@name", "NULL",
	}
	for n, user := range users {
		f.create(t, user, after(time.Duration(n)*time.Second))
	}
	for n, user := range users {
		page := f.list(t, user, limit, nil)
		if page.Total != 1 || len(page.Sessions) != 1 {
			t.Errorf("user %q has %d sessions, total %d; want 1", user, len(page.Sessions), page.Total)
			continue
		}
		equal(t, "created_at", page.Sessions[0].CreatedAt, after(time.Duration(n)*time.Second))
		equal(t, "user", page.Sessions[0].UserID, user)
		run := f.begin(t, page.Sessions[0], "hello", after(time.Hour))
		f.finish(t, run.Run, "hi", after(time.Hour))
		must(t, f.DeleteSession(t.Context(), user, page.Sessions[0].ID))
	}
	f.wantRows(t, "sessions", 0)
}

func sessionOwner(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	f.create(t, bob, start())
	_, err := f.Session(t.Context(), bob, session.ID)
	wantCode(t, "another user's", err, chat.CodeForbidden)
	_, err = f.Session(t.Context(), "a user without sessions", session.ID)
	wantCode(t, "another user's", err, chat.CodeForbidden)
	_, err = f.Session(t.Context(), alice, uuid.New())
	wantCode(t, "missing", err, chat.CodeSessionNotFound)
}

func times(t *testing.T, f *fixture) {
	for _, at := range []time.Time{
		time.Date(2026, 11, 23, 1, 2, 3, 456_789_000, time.UTC),
		time.Date(2026, 11, 23, 1, 2, 3, 1_000, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		time.Date(2262, 4, 12, 0, 0, 0, 0, time.UTC),
	} {
		session := f.create(t, alice, at)
		equal(t, "session", f.session(t, session), session)
	}
	local := time.Date(2026, 11, 23, 3, 2, 3, 456_789_999, time.FixedZone("EET", 2*60*60))
	session := f.create(t, bob, local)
	want := time.Date(2026, 11, 23, 1, 2, 3, 456_789_000, time.UTC)
	equal(t, "created_at of another zone", f.session(t, session).CreatedAt, want)
}

func deleteCascades(t *testing.T, f *fixture) {
	session, other := f.create(t, alice, start()), f.create(t, alice, start())
	for _, s := range []chat.Session{session, other} {
		run := f.begin(t, s, "one", after(time.Second))
		f.finish(t, run.Run, "two", after(2*time.Second))
		f.begin(t, s, "three", after(3*time.Second))
	}
	must(t, f.DeleteSession(t.Context(), alice, session.ID))
	_, err := f.Session(t.Context(), alice, session.ID)
	wantCode(t, "deleted", err, chat.CodeSessionNotFound)
	f.wantRows(t, "sessions", 1)
	f.wantRows(t, "items", 3)
	f.wantRows(t, "runs", 2)
	equal(t, "items of the other session", len(f.items(t, other)), 3)
	wantCode(t, "again", f.DeleteSession(t.Context(), alice, session.ID), chat.CodeSessionNotFound)
	equal(t, "total", f.list(t, alice, limit, nil).Total, 1)
}

func deleteMakesRoom(t *testing.T, f *fixture) {
	session := newSession(alice, start())
	for range 3 {
		must(t, f.CreateSession(t.Context(), session, 1))
		wantCode(t, "full", f.CreateSession(t.Context(), newSession(alice, start()), 1), chat.CodeSessionLimit)
		must(t, f.DeleteSession(t.Context(), alice, session.ID))
		equal(t, "total", f.list(t, alice, limit, nil).Total, 0)
	}
}

func deleteOwner(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	f.create(t, bob, start())
	wantCode(t, "another user's", f.DeleteSession(t.Context(), bob, session.ID), chat.CodeForbidden)
	wantCode(t, "missing", f.DeleteSession(t.Context(), alice, uuid.New()), chat.CodeSessionNotFound)
	f.wantRows(t, "sessions", 2)
	for _, user := range []string{alice, bob} {
		equal(t, "total of "+user, f.list(t, user, limit, nil).Total, 1)
	}
}

func deleteAtOnce(t *testing.T, f *fixture) {
	sessions := make([]chat.Session, 4)
	for n := range sessions {
		sessions[n] = f.create(t, alice, start())
	}
	errs := atOnce(40, func(i int) error {
		return f.DeleteSession(t.Context(), alice, sessions[i%3].ID)
	})
	wantOutcomes(t, errs, 3, chat.CodeSessionNotFound)
	page := f.list(t, alice, limit, nil)
	equal(t, "total", page.Total, 1)
	equal(t, "sessions left", ids(page.Sessions), ids(sessions[3:]))
}

func ids(sessions []chat.Session) []string {
	out := make([]string, len(sessions))
	for n, s := range sessions {
		out[n] = fmt.Sprintf("%s %s", s.UpdatedAt.Format(time.RFC3339Nano), s.ID)
	}
	return out
}
