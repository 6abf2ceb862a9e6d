package storetest

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

func startStores(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := newRun(session, "hello", after(time.Second))
	started, err := f.StartRun(t.Context(), run, limit)
	must(t, err)
	want := session
	want.Title, want.MessageCount, want.UpdatedAt = "About hello", 1, after(time.Second)
	equal(t, "session", started.Session, want)
	equal(t, "title set", started.TitleSet, true)
	equal(t, "history", len(started.History), 0)
	f.wantRun(t, "run", run.Run.ID, run.Run)
	got, items, err := f.SessionWithItems(t.Context(), alice, session.ID)
	must(t, err)
	equal(t, "session read", got, want)
	equal(t, "items", items, []chat.Item{run.Message})
}

func startTitle(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	for n, step := range []struct {
		given, want string
		set         bool
	}{
		{"", "", false}, {"Hello", "Hello", true}, {"Hello", "Hello", false}, {"Other", "Hello", false}, {"", "Hello", false},
	} {
		run := newRun(session, "hello", after(time.Duration(n)*time.Second))
		run.Title = step.given
		started, err := f.StartRun(t.Context(), run, limit)
		must(t, err)
		if started.TitleSet != step.set || started.Session.Title != step.want {
			t.Errorf("message %d: title %q, set %t; want %q, %t", n, started.Session.Title, started.TitleSet, step.want, step.set)
		}
		f.finish(t, run.Run, "hi", after(time.Duration(n)*time.Second))
	}
	titled := newSession(alice, start())
	titled.Title = "Given"
	must(t, f.CreateSession(t.Context(), titled, limit))
	run := newRun(titled, "hello", after(time.Second))
	run.Title = "Given"
	started, err := f.StartRun(t.Context(), run, limit)
	must(t, err)
	equal(t, "set on a titled session", started.TitleSet, false)
}

func startHistory(t *testing.T, f *fixture) {
	session, other := f.create(t, alice, start()), f.create(t, alice, start())
	var all []chat.Item
	for n := range 6 {
		at := after(time.Duration(n) * time.Second)
		f.finish(t, f.begin(t, other, fmt.Sprint("other ", n), at).Run, "other", at)
		run := newRun(session, fmt.Sprint("question ", n), at)
		started, err := f.StartRun(t.Context(), run, 4)
		must(t, err)
		if want := all[max(0, len(all)-4):]; len(want) > 0 || len(started.History) > 0 {
			equal(t, fmt.Sprint("history of message ", n), started.History, want)
		}
		all = append(all, run.Message, f.finish(t, run.Run, fmt.Sprint("answer ", n), at))
	}
	run := newRun(session, "last", after(time.Minute))
	started, err := f.StartRun(t.Context(), run, 0)
	must(t, err)
	equal(t, "history without a limit's worth", len(started.History), 0)
	equal(t, "message count", started.Session.MessageCount, 13)
}

func startOwner(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	foreign := newRun(session, "hello", after(time.Second))
	foreign.UserID = bob
	_, err := f.StartRun(t.Context(), foreign, limit)
	wantCode(t, "another user's", err, chat.CodeForbidden)
	_, err = f.StartRun(t.Context(), newRun(newSession(alice, start()), "hello", after(time.Second)), limit)
	wantCode(t, "missing", err, chat.CodeSessionNotFound)
	equal(t, "session", f.session(t, session), session)
	f.wantRows(t, "items", 0)
	f.wantRows(t, "runs", 0)
}

func startSecond(t *testing.T, f *fixture) {
	session, other := f.create(t, alice, start()), f.create(t, alice, start())
	run := f.begin(t, session, "hello", after(time.Second))
	_, err := f.StartRun(t.Context(), newRun(session, "again", after(2*time.Second)), limit)
	wantCode(t, "a second run", err, chat.CodeRunInProgress)
	f.begin(t, other, "hello", after(2*time.Second))
	f.finish(t, run.Run, "hi", after(3*time.Second))
	f.begin(t, session, "again", after(4*time.Second))
	f.wantRows(t, "runs", 3)
}

func startRefused(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.begin(t, session, "hello", after(time.Second))
	before := f.session(t, session)
	_, err := f.StartRun(t.Context(), newRun(session, "again", after(2*time.Second)), limit)
	wantCode(t, "a second run", err, chat.CodeRunInProgress)
	equal(t, "session", f.session(t, session), before)
	equal(t, "items", f.items(t, session), []chat.Item{run.Message})
	f.wantRun(t, "run", run.Run.ID, run.Run)
	f.wantRows(t, "runs", 1)
}

// startTaken: an id that exists already is an error, and nothing is stored.
func startTaken(t *testing.T, f *fixture) {
	session, other := f.create(t, alice, start()), f.create(t, alice, start())
	first := f.begin(t, session, "hello", after(time.Second))
	run, message := newRun(other, "a run's id", after(time.Minute)), newRun(other, "a message's id", after(time.Minute))
	run.Run.ID, message.Message.ID = first.Run.ID, first.Message.ID
	for _, taken := range []chat.NewRun{run, message} {
		_, err := f.StartRun(t.Context(), taken, limit)
		if err == nil || chat.CodeOf(err) != "" {
			t.Errorf("%s that is taken: error %v, want an internal one", taken.Message.Text(), err)
		}
	}
	equal(t, "session", f.session(t, other), other)
	f.wantRun(t, "the first run", first.Run.ID, first.Run)
	f.wantRows(t, "items", 1)
	f.wantRows(t, "runs", 1)
}

func startAtOnce(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	for round := range 3 {
		at := after(time.Duration(round) * time.Second)
		runs := make([]chat.NewRun, 40)
		for n := range runs {
			runs[n] = newRun(session, fmt.Sprint("message ", n), at)
		}
		errs := atOnce(len(runs), func(i int) error {
			_, err := f.StartRun(t.Context(), runs[i], limit)
			return err
		})
		wantOutcomes(t, errs, 1, chat.CodeRunInProgress)
		for n, err := range errs {
			if err == nil {
				f.finish(t, runs[n].Run, "hi", at)
			}
		}
		f.wantRows(t, "items", 2*(round+1))
		f.wantRows(t, "runs", round+1)
	}
	equal(t, "message count", f.session(t, session).MessageCount, 6)
}

func startExpired(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	dead := f.beginExpired(t, session, start())
	next := f.begin(t, session, "again", after(time.Second))
	f.wantFailed(t, dead.Run)
	f.wantRun(t, "the next run", next.Run.ID, next.Run)
	equal(t, "texts", texts(f.items(t, session)), []string{"hello", "again"})
	_, err := f.StartRun(t.Context(), newRun(session, "too soon", after(time.Hour)), limit)
	wantCode(t, "a run beside one whose lease is not over", err, chat.CodeRunInProgress)

	f.renew(t, expiredLease, next.Run.ID)
	runs := make([]chat.NewRun, 20)
	for n := range runs {
		runs[n] = newRun(session, fmt.Sprint("message ", n), after(time.Minute))
	}
	wantOutcomes(t, atOnce(len(runs), func(i int) error {
		_, err := f.StartRun(t.Context(), runs[i], limit)
		return err
	}), 1, chat.CodeRunInProgress)
	equal(t, "status of the run taken over", f.run(t, next.Run.ID).Status, chat.RunFailed)
}

// wantFailed checks that a run is marked as failed since its owner is dead, and
// changed in nothing else.
func (f *fixture) wantFailed(t *testing.T, run chat.Run) {
	t.Helper()
	got := f.run(t, run.ID)
	want := run
	want.Status, want.FailureCode, want.FailureReason = chat.RunFailed, chat.FailureServerStopped, chat.ReasonServerStopped
	want.EndedAt = got.EndedAt
	f.wantRun(t, "the dead run", run.ID, want)
	if got.EndedAt.Before(run.StartedAt) {
		t.Errorf("the run ended at %s, before it started at %s", got.EndedAt, run.StartedAt)
	}
}

func updatedForward(t *testing.T, f *fixture) {
	session := f.create(t, alice, after(time.Hour))
	run := f.begin(t, session, "hello", after(time.Minute))
	equal(t, "updated_at", f.session(t, session).UpdatedAt, after(time.Hour))
	f.finish(t, run.Run, "hi", after(2*time.Minute))
	equal(t, "updated_at", f.session(t, session).UpdatedAt, after(time.Hour))
}

func finishStores(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.begin(t, session, "hello", after(time.Second))
	cost := 0.000_123_456_789
	end := run.Run
	end.Status, end.Model, end.UpstreamID = chat.RunCompleted, "vendor/other-model", "gen-123"
	end.FirstTokenAt, end.EndedAt = after(2*time.Second+time.Microsecond), after(3*time.Second)
	end.FinishReason = chat.FinishLength
	end.Usage = chat.Usage{InputTokens: 11, OutputTokens: 1 << 40, CachedTokens: 3, ReasoningTokens: 4, Cost: &cost}
	item := newAnswer(end, "hi", end.FirstTokenAt)
	got, err := f.FinishRun(t.Context(), end, one(item))
	must(t, err)
	f.wantRun(t, "run", end.ID, end)
	want := session
	want.Title, want.MessageCount, want.UpdatedAt = "About hello", 2, after(3*time.Second)
	equal(t, "session", got, want)
	equal(t, "session read", f.session(t, session), want)
	equal(t, "items", f.items(t, session), []chat.Item{run.Message, *item})
}

func finishWithoutItem(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.begin(t, session, "hello", after(time.Second))
	zero := 0.0
	end := run.Run
	end.Status, end.EndedAt = chat.RunFailed, after(time.Minute)
	end.FailureCode, end.FailureReason, end.Usage.Cost = "upstream_busy", "The model provider is busy.", &zero
	got, err := f.FinishRun(t.Context(), end, nil)
	must(t, err)
	want := session
	want.Title, want.MessageCount, want.UpdatedAt = "About hello", 1, after(time.Second)
	equal(t, "session", got, want)
	equal(t, "session read", f.session(t, session), want)
	f.wantRun(t, "run", end.ID, end)
	f.begin(t, session, "again", after(2*time.Minute))
}

// finishOddTexts: an end is stored though upstream's texts are not valid in the
// database.
func finishOddTexts(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.begin(t, session, "hello", after(time.Second))
	end := run.Run
	end.Status, end.EndedAt = chat.RunFailed, after(time.Minute)
	end.Model, end.UpstreamID, end.FailureReason = "mod\x00el", "gen-\xff\x001", "why\x00"
	item := newAnswer(end, "NUL \x00 and \xff", after(time.Minute))
	_, err := f.FinishRun(t.Context(), end, one(item))
	must(t, err)
	end.Model, end.UpstreamID, end.FailureReason = "mod\uFFFDel", "gen-\uFFFD\uFFFD1", "why\uFFFD"
	f.wantRun(t, "run", end.ID, end)
	equal(t, "texts", texts(f.items(t, session)), []string{"hello", "NUL \x00 and \uFFFD"})
}

func finishAgain(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.begin(t, session, "hello", after(time.Second))
	end := run.Run
	end.Status, end.EndedAt = chat.RunCompleted, after(2*time.Second)
	item := newAnswer(end, "hi", after(2*time.Second))
	for range 3 {
		got, err := f.FinishRun(t.Context(), end, one(item))
		must(t, err)
		equal(t, "message count", got.MessageCount, 2)
	}
	equal(t, "session", f.session(t, session).MessageCount, 2)
	equal(t, "items", f.items(t, session), []chat.Item{run.Message, *item})
	next := f.begin(t, session, "again", after(3*time.Second))
	f.finish(t, next.Run, "hi again", after(4*time.Second))
	equal(t, "texts", texts(f.items(t, session)), []string{"hello", "hi", "again", "hi again"})
}

// finishOnce: only the first end of a run is stored.
func finishOnce(t *testing.T, f *fixture) {
	for name, items := range map[string]int{"without an item": 0, "with one": 1, "with two": 2} {
		session := f.create(t, alice, start())
		end := f.begin(t, session, "hello", after(time.Second)).Run
		end.Status, end.EndedAt, end.Usage.InputTokens = chat.RunCompleted, after(2*time.Second), 7
		var answers []chat.Item
		for range items {
			answers = append(answers, *newAnswer(end, "hi", after(2*time.Second)))
		}
		want, err := f.FinishRun(t.Context(), end, answers)
		must(t, err)
		other := end
		other.Status, other.EndedAt, other.FailureCode = chat.RunFailed, after(time.Hour), chat.FailureInternal
		for _, late := range [][]chat.Item{nil, answers, one(newAnswer(end, "another", after(time.Hour)))} {
			got, err := f.FinishRun(t.Context(), other, late)
			must(t, err)
			equal(t, name+": session", got, want)
		}
		f.wantRun(t, name, end.ID, end)
		equal(t, name+": items", len(f.items(t, session)), 1+items)
	}
}

func finishLostLease(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	slow := f.beginExpired(t, session, start())
	next := f.begin(t, session, "again", after(time.Hour))
	equal(t, "status while taken for dead", f.run(t, slow.Run.ID).Status, chat.RunFailed)

	end := slow.Run
	end.Status, end.EndedAt = chat.RunCompleted, after(2*time.Hour)
	_, err := f.FinishRun(t.Context(), end, one(newAnswer(end, "hi at last", after(2*time.Hour))))
	must(t, err)
	f.wantRun(t, "run", end.ID, end)
	f.wantRun(t, "the other run", next.Run.ID, next.Run)
	equal(t, "texts", texts(f.items(t, session)), []string{"hello", "again", "hi at last"})
}

func finishDeleted(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.begin(t, session, "hello", after(time.Second))
	must(t, f.DeleteSession(t.Context(), alice, session.ID))
	end := run.Run
	end.Status, end.EndedAt = chat.RunCompleted, after(2*time.Second)
	_, err := f.FinishRun(t.Context(), end, one(newAnswer(end, "hi", after(2*time.Second))))
	wantCode(t, "with an item", err, chat.CodeSessionNotFound)
	_, err = f.FinishRun(t.Context(), end, nil)
	wantCode(t, "without an item", err, chat.CodeSessionNotFound)
	f.wantRows(t, "items", 0)
	f.wantRows(t, "runs", 0)

	// A run that was never stored.
	session = f.create(t, alice, start())
	never := newRun(session, "hello", start()).Run
	_, err = f.FinishRun(t.Context(), never, one(newAnswer(never, "hi", start())))
	wantCode(t, "a run that is not stored", err, chat.CodeSessionNotFound)
	equal(t, "session", f.session(t, session), session)
}

// renew renews the leases of runs and returns the lost ones.
func (f *fixture) renew(t *testing.T, lease time.Duration, runs ...uuid.UUID) []chat.LostRun {
	t.Helper()
	lost, err := f.RenewLeases(t.Context(), runs, lease)
	must(t, err)
	return lost
}

func renewLeases(t *testing.T, f *fixture) {
	sessions, runs := map[string]chat.Session{}, map[string]chat.Run{}
	for _, name := range []string{"mine", "second", "other", "completed", "failed", "deleted"} {
		sessions[name] = f.create(t, alice, start())
		runs[name] = f.beginExpired(t, sessions[name], start()).Run
	}
	f.finish(t, runs["completed"], "hi", after(time.Second))
	f.begin(t, sessions["failed"], "again", after(time.Second))
	must(t, f.DeleteSession(t.Context(), alice, sessions["deleted"].ID))
	renewed := []string{"mine", "second"}
	want := map[string]chat.RunStatus{"completed": chat.RunCompleted, "failed": chat.RunFailed, "deleted": ""}

	var ids []uuid.UUID
	for _, name := range append(slices.Collect(maps.Keys(want)), renewed...) {
		ids = append(ids, runs[name].ID)
	}
	lost := f.renew(t, time.Hour, ids...)
	equal(t, "number of runs lost", len(lost), len(want))
	for name, status := range want {
		if run := (chat.LostRun{ID: runs[name].ID, Status: status}); !slices.Contains(lost, run) {
			t.Errorf("the lost runs %v lack %s: %v", lost, name, run)
		}
	}
	for _, name := range []string{"mine", "second", "other", "completed", "failed"} {
		left := f.probe.LeaseLeft(t, runs[name].ID)
		if slices.Contains(renewed, name) && (left < 50*time.Minute || left > 70*time.Minute) ||
			!slices.Contains(renewed, name) && left > 0 {
			t.Errorf("the lease of %s lasts %s", name, left)
		}
	}
	_, err := f.StartRun(t.Context(), newRun(sessions["mine"], "again", after(time.Second)), limit)
	wantCode(t, "a second run within the new lease", err, chat.CodeRunInProgress)
	equal(t, "lost runs of none", len(f.renew(t, time.Hour)), 0)
}

func orphans(t *testing.T, f *fixture) {
	dead, alive := f.create(t, alice, start()), f.create(t, alice, start())
	ended, future := f.create(t, bob, start()), f.create(t, bob, start())
	deadRun := f.beginExpired(t, dead, start()).Run
	aliveRun := f.begin(t, alive, "hello", after(time.Minute)).Run
	endedRun := f.beginExpired(t, ended, start()).Run
	f.finish(t, endedRun, "hi", after(time.Second))
	// The clock of a dead process may have been ahead.
	futureRun := f.beginExpired(t, future, time.Now().UTC().Truncate(time.Microsecond).Add(24*time.Hour)).Run

	failed, err := f.FailOrphanedRuns(t.Context(), newID())
	must(t, err)
	want := 2
	if f.oneProcess {
		want = 3
	}
	equal(t, "runs failed", failed, want)
	f.wantFailed(t, deadRun)
	f.wantFailed(t, futureRun)
	if !f.oneProcess {
		f.wantRun(t, "the live run", aliveRun.ID, aliveRun)
	}
	failed, err = f.FailOrphanedRuns(t.Context(), newID())
	must(t, err)
	equal(t, "runs failed again", failed, 0)
	equal(t, "status of a run that had ended", f.run(t, endedRun.ID).Status, chat.RunCompleted)
	equal(t, "texts kept", texts(f.items(t, dead)), []string{"hello"})
	f.begin(t, dead, "again", after(time.Hour))
}

func orphansOwn(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.beginExpired(t, session, start()).Run
	failed, err := f.FailOrphanedRuns(t.Context(), run.Owner)
	must(t, err)
	equal(t, "runs failed", failed, 0)
	f.wantRun(t, "run", run.ID, run)
}
