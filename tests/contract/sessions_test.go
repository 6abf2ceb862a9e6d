package contract_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestSessions tests the number of sessions and their times.
func TestSessions(t *testing.T) {
	t.Parallel()
	suite(t, nil, map[string]check{
		"session limit":                sessionLimit,
		"session limit while deleting": sessionLimitWhileDeleting,
		"session times":                sessionTimes,
	})
}

// sessionLimit checks that a hundred concurrent creates give exactly ten
// sessions.
func sessionLimit(t *testing.T, server *harness.Server) {
	alice, bob := server.User(t), server.User(t)
	answers := createAtOnce(alice, 100)
	made := 0
	for _, answer := range answers {
		if answer.Status == http.StatusOK {
			made++
			continue
		}
		want(t, answer, 429, "SESSION_LIMIT")
		if after := answer.Header.Get("Retry-After"); after != "" {
			t.Errorf("Retry-After %s with a failure that waiting does not mend", after)
		}
	}
	list := alice.Sessions()
	if made != 10 || list.Meta.Total != 10 || len(list.Data) != 10 {
		t.Fatalf("%d creates succeeded, the list has %d of %d", made, len(list.Data), list.Meta.Total)
	}
	bob.CreateSession() // Alice's sessions do not count for Bob.
	alice.DeleteSession(list.Data[3].ID)
	alice.CreateSession()
	want(t, alice.Do(createRequest()), 429, "SESSION_LIMIT")
	if total := alice.Sessions().Meta.Total; total != 10 {
		t.Errorf("the list has %d sessions", total)
	}
}

// sessionLimitWhileDeleting checks that concurrent creates and deletes leave
// the count right.
func sessionLimitWhileDeleting(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	for range 10 {
		alice.CreateSession()
	}
	ids := alice.Sessions().Data
	var all sync.WaitGroup
	for _, session := range ids {
		for range 3 { // Of three deletes at once, one finds it.
			all.Go(func() {
				alice.Do(harness.Request{Method: http.MethodDelete, Path: harness.SessionPath(session.ID)})
			})
		}
	}
	all.Go(func() { createAtOnce(alice, 20) })
	all.Wait()
	createAtOnce(alice, 20)
	if list := alice.Sessions(); list.Meta.Total != 10 || len(list.Data) != 10 {
		t.Errorf("the list has %d sessions and the total %d, want 10", len(list.Data), list.Meta.Total)
	}
}

// TestSessionLimitSetting tests MAX_SESSIONS_PER_USER.
func TestSessionLimitSetting(t *testing.T) {
	t.Parallel()
	onEach(t, map[string]string{"MAX_SESSIONS_PER_USER": "3"}, func(t *testing.T, server *harness.Server) {
		alice := server.User(t)
		for range 3 {
			alice.CreateSession()
		}
		answer := alice.Do(createRequest())
		want(t, answer, 429, "SESSION_LIMIT")
		wantNamed(t, answer, "3")
	})
}

func createRequest() harness.Request {
	return harness.Request{Method: http.MethodPost, Path: harness.SessionsPath}
}

func createAtOnce(user *harness.User, times int) []harness.Answer {
	answers := make([]harness.Answer, times)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for n := range times {
		all.Go(func() {
			<-begin
			answers[n] = user.Do(createRequest())
		})
	}
	close(begin)
	all.Wait()
	return answers
}

// TestPagination reads the pages of 25 sessions.
func TestPagination(t *testing.T) {
	t.Parallel()
	onEach(t, map[string]string{"MAX_SESSIONS_PER_USER": "50"}, func(t *testing.T, server *harness.Server) {
		alice, bob := server.User(t), server.User(t)
		var newestFirst []uuid.UUID
		for range 25 {
			newestFirst = append([]uuid.UUID{alice.CreateSession()}, newestFirst...)
			bob.CreateSession()
		}
		// The oldest becomes the newest by a message.
		oldest := newestFirst[24]
		alice.Say(oldest, "Hello")
		newestFirst = append([]uuid.UUID{oldest}, newestFirst[:24]...)

		for _, limit := range []int{1, 7, 10, 24, 25, 26, 100} {
			checkPages(t, alice, limit, newestFirst)
		}
		if list := alice.Sessions(); len(list.Data) != 20 || list.Meta.Total != 25 || list.Meta.After == nil {
			t.Errorf("without a limit came %d of %d", len(list.Data), list.Meta.Total)
		}

		// The cursor of a deleted session still works, and a cursor of another user
		// returns nothing of that user's.
		limit := 10
		cursor := page(t, alice, &client.ListSessionsParams{Limit: &limit}).Meta.After
		alice.DeleteSession(newestFirst[9])
		next := page(t, alice, &client.ListSessionsParams{Limit: &limit, After: cursor})
		if next.Data[0].ID != newestFirst[10] || next.Meta.Total != 24 {
			t.Errorf("after a deleted session the page begins with %v of %d", next.Data[0].ID, next.Meta.Total)
		}
		for _, session := range page(t, bob, &client.ListSessionsParams{Limit: &limit, After: cursor}).Data {
			if session.UserID != bob.Sub {
				t.Errorf("Bob sees a session of %s", session.UserID)
			}
		}
	})
}

// checkPages reads all pages of this size and checks that they have these
// sessions in order.
func checkPages(t *testing.T, user *harness.User, limit int, ids []uuid.UUID) {
	t.Helper()
	var got []client.SessionSummary
	params := &client.ListSessionsParams{Limit: &limit}
	for {
		one := page(t, user, params)
		if one.Meta.Total != int64(len(ids)) {
			t.Errorf("limit %d: total is %d, want %d", limit, one.Meta.Total, len(ids))
		}
		got = append(got, one.Data...)
		if left := len(ids) - len(got); (one.Meta.After != nil) != (left > 0) || len(one.Data) > limit {
			t.Fatalf("limit %d: a page of %d with %d left, after %v", limit, len(one.Data), left, one.Meta.After)
		}
		if one.Meta.After == nil {
			break
		}
		params.After = one.Meta.After
	}
	for n, session := range got {
		if session.ID != ids[n] {
			t.Fatalf("limit %d: session %d is %s, want %s", limit, n, session.ID, ids[n])
		}
		if n > 0 && session.UpdatedAt.After(got[n-1].UpdatedAt) {
			t.Errorf("limit %d: session %d is newer than the one before", limit, n)
		}
	}
}

func page(t *testing.T, user *harness.User, params *client.ListSessionsParams) client.SessionListResponse {
	t.Helper()
	answer, err := user.API.ListSessionsWithResponse(user.Context(), params)
	if err != nil || answer.JSON200 == nil {
		t.Fatalf("list: %v", err)
	}
	return *answer.JSON200
}

// sessionTimes checks that every answer has the same times of a session.
func sessionTimes(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	created, err := alice.API.CreateSessionWithResponse(alice.Context(), client.CreateSessionRequest{})
	if err != nil || created.JSON200 == nil {
		t.Fatalf("create: %v", err)
	}
	id, at := created.JSON200.Data.ID, created.JSON200.Data.CreatedAt
	before := alice.Session(id)
	if !before.CreatedAt.Equal(at) || !before.UpdatedAt.Equal(at) || before.Title != nil {
		t.Errorf("a new session is %+v, created at %s", before, at)
	}
	alice.Say(id, "Hello")
	after, listed := alice.Session(id), alice.Sessions().Data[0]
	if !after.CreatedAt.Equal(at) || !after.UpdatedAt.After(at) {
		t.Errorf("after a message the session's times are %s and %s", after.CreatedAt, after.UpdatedAt)
	}
	if !listed.CreatedAt.Equal(at) || !listed.UpdatedAt.Equal(after.UpdatedAt) || *listed.Title != *after.Title {
		t.Errorf("the list has %+v, the session is %+v", listed, after)
	}
	last := after.Messages[len(after.Messages)-1]
	if after.UpdatedAt.Before(last.CreatedAt) {
		t.Errorf("updated at %s, the last message came at %s", after.UpdatedAt, last.CreatedAt)
	}
}
