package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

func runQueryClauses() []clause {
	return []clause{
		{"Run returns what was stored", runStored},
		{"runs of another user and missing ones", runsOwner},
		{"ListRuns pages through ties", listRunsTies},
		{"ListRuns while runs are started", listRunsMeanwhile},
		{"a run waits while its call is the newest item", waitingUntilResumed},
		{"a message ends the waiting", waitingUntilMessage},
		{"a retry ends the waiting for a superseded call", waitingUntilRetry},
		{"a run waits for no other item", waitingForNothing},
		{"ActiveRun ignores a lease that is over", activeExpired},
		{"ActiveRun prefers the running run", activeBoth},
		{"RUN_IN_PROGRESS names the run", inProgressNamed},
		{"CancelRun cancels a running run once", cancelTwice},
		{"CancelRun returns a run that has ended", cancelEnded},
		{"CancelRun of a run whose lease is over", cancelExpired},
		{"CancelRun called concurrently with FinishRun", cancelAtOnce},
		{"FinishRun of a run that was cancelled", finishCancelled},
		{"RenewLeases and FailOrphanedRuns leave a cancelled run", leasesOfCancelled},
	}
}

// runQueryMethods returns a call of each method of chat.RunQueries.
func (f *fixture) runQueryMethods(run chat.NewRun) map[string]func(ctx context.Context) error {
	return map[string]func(ctx context.Context) error{
		"Run": func(ctx context.Context) error {
			_, err := f.Run(ctx, refOf(run.UserID, run.Run))
			return err
		},
		"ActiveRun": func(ctx context.Context) error {
			_, err := f.ActiveRun(ctx, run.UserID, run.Run.SessionID)
			return err
		},
		"ListRuns": func(ctx context.Context) error {
			_, err := f.ListRuns(ctx, run.UserID, run.Run.SessionID, chat.RunQuery{Limit: limit})
			return err
		},
		"CancelRun": func(ctx context.Context) error {
			_, err := f.CancelRun(ctx, refOf(run.UserID, run.Run), after(time.Minute))
			return err
		},
	}
}

func refOf(user string, run chat.Run) chat.RunRef {
	return chat.RunRef{UserID: user, SessionID: run.SessionID, RunID: run.ID}
}

// wantRead checks what Run returns of a run of alice's.
func (f *fixture) wantRead(t *testing.T, what string, want chat.Run) {
	t.Helper()
	got, err := f.Run(t.Context(), refOf(alice, want))
	must(t, err)
	want.Lease = 0
	equal(t, what, got, want)
}

// wantActive checks the active run of a session of alice's; want is nil for none.
func (f *fixture) wantActive(t *testing.T, what string, session chat.Session, want *chat.Run) {
	t.Helper()
	got, err := f.ActiveRun(t.Context(), alice, session.ID)
	must(t, err)
	switch {
	case want == nil && got != nil:
		t.Errorf("%s: run %+v, want none", what, *got)
	case want != nil && got == nil:
		t.Errorf("%s: no run, want %+v", what, *want)
	case want != nil:
		run := *want
		run.Lease = 0
		equal(t, what, *got, run)
	}
}

func (f *fixture) listRuns(t *testing.T, session chat.Session, q chat.RunQuery) chat.RunPage {
	t.Helper()
	page, err := f.ListRuns(t.Context(), session.UserID, session.ID, q)
	must(t, err)
	return page
}

// allRuns reads the runs of a session in pages, newest first.
func (f *fixture) allRuns(t *testing.T, session chat.Session, size int) []uuid.UUID {
	t.Helper()
	var all []uuid.UUID
	query := chat.RunQuery{Limit: size}
	for {
		page := f.listRuns(t, session, query)
		all = append(all, runIDs(page.Runs)...)
		if !page.HasMore {
			return all
		}
		equal(t, "runs of a page before the last", len(page.Runs), size)
		query.After = &page.Runs[size-1].ID
	}
}

func runIDs(runs []chat.Run) []uuid.UUID {
	ids := make([]uuid.UUID, len(runs))
	for n, run := range runs {
		ids[n] = run.ID
	}
	return ids
}

func newCall(run chat.Run, at time.Time) chat.Item {
	call := newItem(run, chat.ItemClientToolCall, at)
	call.ClientCall = &chat.ClientToolCall{CallID: "call_1", Name: "pick", Arguments: []byte(`{}`)}
	return call
}

// finishWaiting completes a run with a client tool call, and returns it as it is
// read.
func (f *fixture) finishWaiting(t *testing.T, run chat.Run, at time.Time) chat.Run {
	t.Helper()
	run.Status, run.EndedAt = chat.RunCompleted, at
	_, err := f.FinishRun(t.Context(), run, []chat.Item{*newAnswer(run, "Pick one.", at), newCall(run, at)})
	must(t, err)
	run.Status = chat.RunWaiting
	return run
}

func runStored(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.begin(t, session, "hello", after(time.Second)).Run
	f.wantRead(t, "a running run", run)
	f.wantActive(t, "a running run", session, &run)
	end := run
	end.Status, end.Model, end.UpstreamID, end.FinishReason = chat.RunFailed, "vendor/other", "gen-123", chat.FinishLength
	end.FirstTokenAt, end.EndedAt = after(2*time.Second+time.Microsecond), after(3*time.Second)
	end.FailureCode, end.FailureReason = chat.FailureTimeLimit, "The answer took too long."
	end.Usage = chat.Usage{InputTokens: 11, OutputTokens: 1 << 40, CachedTokens: 3, ReasoningTokens: 4, Cost: new(0.000_123)}
	_, err := f.FinishRun(t.Context(), end, nil)
	must(t, err)
	f.wantRead(t, "an ended run", end)
	f.wantActive(t, "an ended run", session, nil)
	end.Lease = 0
	equal(t, "list", f.listRuns(t, session, chat.RunQuery{Limit: 1}), chat.RunPage{Runs: []chat.Run{end}})
}

func runsOwner(t *testing.T, f *fixture) {
	session, other := f.create(t, alice, start()), f.create(t, alice, start())
	run := f.begin(t, session, "secret", after(time.Second)).Run
	before := f.run(t, run.ID)
	for name, test := range map[string]struct {
		ref chat.RunRef
		// run and session are the errors of the methods that name a run, and of
		// those that name its session only.
		run, session chat.Code
	}{
		"another user's":        {refOf(bob, run), chat.CodeForbidden, chat.CodeForbidden},
		"missing session":       {chat.RunRef{UserID: alice, SessionID: newID(), RunID: run.ID}, chat.CodeSessionNotFound, chat.CodeSessionNotFound},
		"missing run":           {chat.RunRef{UserID: alice, SessionID: session.ID, RunID: newID()}, chat.CodeRunNotFound, ""},
		"another session's run": {chat.RunRef{UserID: alice, SessionID: other.ID, RunID: run.ID}, chat.CodeRunNotFound, ""},
	} {
		_, err := f.Run(t.Context(), test.ref)
		wantCode(t, name+": Run", err, test.run)
		_, err = f.CancelRun(t.Context(), test.ref, after(time.Minute))
		wantCode(t, name+": CancelRun", err, test.run)
		_, err = f.ListRuns(t.Context(), test.ref.UserID, test.ref.SessionID, chat.RunQuery{Limit: 1, After: &test.ref.RunID})
		wantCode(t, name+": ListRuns after the run", err, test.run)
		_, err = f.ListRuns(t.Context(), test.ref.UserID, test.ref.SessionID, chat.RunQuery{Limit: 1})
		wantCode(t, name+": ListRuns", err, test.session)
		_, err = f.ActiveRun(t.Context(), test.ref.UserID, test.ref.SessionID)
		wantCode(t, name+": ActiveRun", err, test.session)
	}
	equal(t, "run", f.run(t, run.ID), before)
	equal(t, "runs of a session without runs", f.listRuns(t, other, chat.RunQuery{Limit: 1}), chat.RunPage{})
	f.wantActive(t, "a session without runs", other, nil)
	must(t, f.DeleteSession(t.Context(), alice, session.ID))
	_, err := f.CancelRun(t.Context(), refOf(alice, run), after(time.Minute))
	wantCode(t, "CancelRun in a deleted session", err, chat.CodeSessionNotFound)
}

// listRunsTies: pages of any size have each run once, though some started at the
// same time, and none of another session.
func listRunsTies(t *testing.T, f *fixture) {
	session, other := f.create(t, alice, start()), f.create(t, alice, start())
	var want []uuid.UUID
	for n := range 9 {
		at := after(time.Duration(n/4) * time.Second)
		f.finish(t, f.begin(t, other, "other", at).Run, "other", at)
		run := f.begin(t, session, fmt.Sprint("message ", n), at).Run
		f.finish(t, run, "hi", at)
		want = append(want, run.ID)
	}
	slices.Reverse(want) // The ids of runs that started later are greater.
	for _, size := range []int{1, 2, 3, 8, 9, 10} {
		equal(t, fmt.Sprint("pages of ", size), f.allRuns(t, session, size), want)
	}
	last := want[len(want)-1]
	equal(t, "after the last", f.listRuns(t, session, chat.RunQuery{Limit: 1, After: &last}), chat.RunPage{})
	equal(t, "a page of none", f.listRuns(t, session, chat.RunQuery{}), chat.RunPage{HasMore: true})
}

// listRunsMeanwhile: a run that starts between two pages is on none, and moves
// no other to another page.
func listRunsMeanwhile(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	for n := range 4 {
		at := after(time.Duration(n) * time.Second)
		f.finish(t, f.begin(t, session, "hello", at).Run, "hi", at)
	}
	want := f.allRuns(t, session, 10)
	first := f.listRuns(t, session, chat.RunQuery{Limit: 2})
	f.begin(t, session, "again", after(time.Hour))
	rest := f.listRuns(t, session, chat.RunQuery{Limit: 2, After: &first.Runs[1].ID})
	equal(t, "pages", append(runIDs(first.Runs), runIDs(rest.Runs)...), want)
	equal(t, "more", rest.HasMore, false)
}

func waitingUntilResumed(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	earlier := f.begin(t, session, "one", after(time.Second)).Run
	f.finish(t, earlier, "ONE", after(2*time.Second))
	run := f.finishWaiting(t, f.begin(t, session, "two", after(3*time.Second)).Run, after(4*time.Second))
	f.wantRead(t, "the run", run)
	f.wantActive(t, "the run", session, &run)
	equal(t, "stored status", f.run(t, run.ID).Status, chat.RunCompleted)
	page := f.listRuns(t, session, chat.RunQuery{Limit: 5})
	equal(t, "statuses", []chat.RunStatus{page.Runs[0].Status, page.Runs[1].Status}, []chat.RunStatus{chat.RunWaiting, chat.RunCompleted})
	// It has ended, so that there is nothing to cancel.
	got := f.cancel(t, run, after(time.Minute))
	run.Lease = 0
	equal(t, "cancelled while it waits", got, run)

	next := newRun(session, "", after(5*time.Second)).Run
	_, err := f.ResumeRun(t.Context(), chat.Resume{UserID: alice, Run: next, Output: []byte(`null`)}, limit)
	must(t, err)
	run.Status = chat.RunCompleted
	f.wantRead(t, "the run that was resumed", run)
	f.wantActive(t, "the run that resumed it", session, &next)
	// It may wait for another call.
	again := f.finishWaiting(t, next, after(6*time.Second))
	f.wantRead(t, "the first run", run)
	f.wantActive(t, "the second call", session, &again)
}

func waitingUntilMessage(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.finishWaiting(t, f.begin(t, session, "one", after(time.Second)).Run, after(2*time.Second))
	next := f.begin(t, session, "two", after(3*time.Second)).Run
	run.Status = chat.RunCompleted
	f.wantRead(t, "the run", run)
	f.wantActive(t, "the next run", session, &next)
	f.cancel(t, next, after(4*time.Second))
	f.wantRead(t, "the run after the next was cancelled", run)
	f.wantActive(t, "after the next run", session, nil)
}

// waitingUntilRetry: a superseded call does not wait, and does not hide the call
// that is the newest item after it.
func waitingUntilRetry(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	first := f.begin(t, session, "one", after(time.Second))
	run := f.finishWaiting(t, first.Run, after(2*time.Second))
	retry := func(at time.Time) chat.Run {
		again := newRun(session, "", at).Run
		_, err := f.RetryRun(t.Context(), chat.Retry{UserID: alice, Run: again, ItemID: first.Message.ID}, limit)
		must(t, err)
		return again
	}
	again := retry(after(3 * time.Second))
	run.Status = chat.RunCompleted
	f.wantRead(t, "the run whose call is superseded", run)
	f.wantActive(t, "the retry", session, &again)
	f.cancel(t, again, after(4*time.Second)) // It has no items, so that the message is the newest.
	f.wantRead(t, "after a retry without items", run)
	f.wantActive(t, "after a retry without items", session, nil)

	waiting := f.finishWaiting(t, retry(after(5*time.Second)), after(6*time.Second))
	f.wantRead(t, "the first run", run)
	f.wantRead(t, "the retry with a call", waiting)
	f.wantActive(t, "the retry with a call", session, &waiting)

	// An item that is superseded hides none before it.
	second := f.begin(t, session, "two", after(7*time.Second)).Run
	f.finish(t, second, "TWO", after(8*time.Second))
	f.wantActive(t, "after an answer", session, nil)
}

// waitingForNothing: no run waits that is not completed, or whose call is not the
// newest item of all, also of those that no client sees.
func waitingForNothing(t *testing.T, f *fixture) {
	call := func(run chat.Run) chat.Item { return newCall(run, after(2*time.Second)) }
	for name, test := range map[string]struct {
		status chat.RunStatus
		items  func(run chat.Run) []chat.Item
	}{
		"failed":    {chat.RunFailed, func(run chat.Run) []chat.Item { return []chat.Item{call(run)} }},
		"cancelled": {chat.RunCancelled, func(run chat.Run) []chat.Item { return []chat.Item{call(run)} }},
		"a hidden item after the call": {chat.RunCompleted, func(run chat.Run) []chat.Item {
			return []chat.Item{call(run), newItem(run, chat.ItemHiddenContext, after(2*time.Second))}
		}},
		"an answer without details": {chat.RunCompleted, func(run chat.Run) []chat.Item {
			return one(newAnswer(run, "hi", after(2*time.Second)))
		}},
		"no item": {chat.RunCompleted, func(chat.Run) []chat.Item { return nil }},
	} {
		session := f.create(t, alice, start())
		run := f.begin(t, session, "hello", after(time.Second)).Run
		run.Status, run.EndedAt = test.status, after(2*time.Second)
		_, err := f.FinishRun(t.Context(), run, test.items(run))
		must(t, err)
		f.wantRead(t, name, run)
		f.wantActive(t, name, session, nil)
	}
}

func activeExpired(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.beginExpired(t, session, after(time.Second)).Run
	f.wantActive(t, "a lease that is over", session, nil)
	f.wantRead(t, "the run", run)
	f.renew(t, leaseLength, run.ID)
	f.wantActive(t, "a lease that was renewed", session, &run)
}

// activeBoth: a run that was taken for dead may add its call after the message of
// the run that follows it.
func activeBoth(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	slow := f.beginExpired(t, session, after(time.Second)).Run
	next := f.begin(t, session, "again", after(2*time.Second)).Run
	waiting := f.finishWaiting(t, slow, after(3*time.Second))
	f.wantRead(t, "the run that waits", waiting)
	f.wantActive(t, "a running and a waiting run", session, &next)
	f.cancel(t, next, after(4*time.Second))
	f.wantActive(t, "a waiting run", session, &waiting)
}

func inProgressNamed(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	first := f.begin(t, session, "hello", after(time.Second))
	next := newRun(session, "again", after(2*time.Second))
	_, err := f.StartRun(t.Context(), next, limit)
	wantInProgress(t, "StartRun", err, first.Run.ID)
	retry := chat.Retry{UserID: alice, Run: next.Run, ItemID: first.Message.ID}
	_, err = f.RetryRun(t.Context(), retry, limit)
	wantInProgress(t, "RetryRun", err, first.Run.ID)
	_, err = f.ResumeRun(t.Context(), chat.Resume{UserID: alice, Run: next.Run, Output: []byte(`1`)}, limit)
	wantInProgress(t, "ResumeRun", err, first.Run.ID)
}

func wantInProgress(t *testing.T, what string, err error, run uuid.UUID) {
	t.Helper()
	wantCode(t, what, err, chat.CodeRunInProgress)
	if got := new(chat.Error); errors.As(err, &got) && got.RunID != run {
		t.Errorf("%s: the run in progress is %s, want %s", what, got.RunID, run)
	}
}
