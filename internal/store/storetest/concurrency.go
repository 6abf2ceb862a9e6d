package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// everythingAtOnce calls all methods concurrently in few sessions. Only errors
// that concurrent calls may cause are allowed, and the counters must agree with
// the rows afterwards.
func everythingAtOnce(t *testing.T, f *fixture) {
	const workers, rounds = 24, 12
	errs := atOnce(workers, func(worker int) error {
		user := fmt.Sprint("user ", worker%4)
		for round := range rounds {
			if err := f.oneVisit(t, user, after(time.Duration(round)*time.Second)); err != nil {
				return fmt.Errorf("worker %d, round %d: %w", worker, round, err)
			}
		}
		return nil
	})
	for _, err := range errs {
		must(t, err)
	}
	sessions, items := 0, 0
	for n := range 4 {
		user := fmt.Sprint("user ", n)
		page := f.list(t, user, 100, nil)
		equal(t, "total of "+user, page.Total, len(page.Sessions))
		sessions += len(page.Sessions)
		for _, session := range page.Sessions {
			equal(t, "message count", session.MessageCount, len(f.items(t, session)))
			items += session.MessageCount
		}
	}
	f.wantRows(t, "sessions", sessions)
	f.wantRows(t, "items", items)
}

// oneVisit lists sessions, creates one, completes a run in the newest, reads it,
// and deletes the oldest of three.
func (f *fixture) oneVisit(t *testing.T, user string, at time.Time) error {
	ctx := t.Context()
	err := f.CreateSession(ctx, newSession(user, at), 3)
	if err != nil && chat.CodeOf(err) != chat.CodeSessionLimit {
		return fmt.Errorf("create: %w", err)
	}
	page, err := f.ListSessions(ctx, user, chat.SessionQuery{Limit: 3})
	if err != nil || len(page.Sessions) == 0 {
		return err
	}
	run := newRun(page.Sessions[0], "hello", at)
	if _, err = f.StartRun(ctx, run, 4); err == nil {
		run.Run.Status, run.Run.EndedAt = chat.RunCompleted, at
		_, err = f.FinishRun(ctx, run.Run, one(newAnswer(run.Run, "hi", at)))
	}
	if err := expected(err, "run"); err != nil {
		return err
	}
	if _, err := f.RenewLeases(ctx, []uuid.UUID{run.Run.ID}, time.Minute); err != nil {
		return fmt.Errorf("renew: %w", err)
	}
	_, _, err = f.SessionWithItems(ctx, user, page.Sessions[0].ID)
	if err := expected(err, "read"); err != nil {
		return err
	}
	if len(page.Sessions) == 3 {
		err = f.DeleteSession(ctx, user, page.Sessions[2].ID)
	}
	return expected(err, "delete")
}

// expected drops an error that a concurrent call may have caused.
func expected(err error, what string) error {
	code := chat.CodeOf(err)
	if err == nil || code == chat.CodeSessionNotFound || code == chat.CodeRunInProgress {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
