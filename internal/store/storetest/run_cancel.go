package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// cancel cancels a run of alice's.
func (f *fixture) cancel(t *testing.T, run chat.Run, at time.Time) chat.Run {
	t.Helper()
	got, err := f.CancelRun(t.Context(), refOf(alice, run), at)
	must(t, err)
	return got
}

// cancelledRun is a run as CancelRun leaves it.
func cancelledRun(run chat.Run, at time.Time) chat.Run {
	run.Status, run.EndedAt, run.Lease = chat.RunCancelled, at, 0
	run.FailureCode, run.FailureReason = chat.FailureCancelled, chat.ReasonCancelled
	return run
}

func cancelTwice(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.begin(t, session, "hello", after(time.Second)).Run
	want := cancelledRun(run, after(time.Minute))
	equal(t, "cancelled", f.cancel(t, run, after(time.Minute)), want)
	equal(t, "cancelled again", f.cancel(t, run, after(time.Hour)), want)
	f.wantRead(t, "the run", want)
	f.wantActive(t, "a cancelled run", session, nil)
	next := f.begin(t, session, "again", after(2*time.Minute)).Run
	f.wantRun(t, "the next run", next.ID, next)
	f.wantRun(t, "the cancelled run", run.ID, want)

	// The clock of the process that cancels may be behind.
	equal(t, "cancelled before it started", f.cancel(t, next, start()), cancelledRun(next, next.StartedAt))
}

func cancelEnded(t *testing.T, f *fixture) {
	for _, status := range []chat.RunStatus{chat.RunCompleted, chat.RunFailed, chat.RunCancelled} {
		session := f.create(t, alice, start())
		run := f.begin(t, session, "hello", after(time.Second)).Run
		run.Status, run.EndedAt, run.Usage.OutputTokens = status, after(2*time.Second), 7
		if status != chat.RunCompleted {
			run.FailureCode, run.FailureReason = chat.FailureClientLeft, "The client disconnected."
		}
		_, err := f.FinishRun(t.Context(), run, one(newAnswer(run, "hi", after(2*time.Second))))
		must(t, err)
		got := f.cancel(t, run, after(time.Minute))
		run.Lease = 0
		equal(t, string(status), got, run)
		f.wantRun(t, string(status), run.ID, run)
	}
}

func cancelExpired(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.beginExpired(t, session, after(time.Second)).Run
	want := cancelledRun(run, after(time.Minute))
	equal(t, "cancelled", f.cancel(t, run, after(time.Minute)), want)
	f.begin(t, session, "again", after(time.Hour))
	f.wantRun(t, "the run after the next message", run.ID, want)
}

// cancelAtOnce: whichever comes first, the end of a run is stored once, with its
// answer.
func cancelAtOnce(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	for round := range 5 {
		run := f.begin(t, session, "hello", after(time.Duration(round)*time.Minute)).Run
		end := run
		end.Status, end.EndedAt = chat.RunCompleted, run.StartedAt.Add(time.Second)
		answer, cancelledAt := one(newAnswer(run, "hi", end.EndedAt)), run.StartedAt.Add(2*time.Second)
		errs := atOnce(8, func(n int) error {
			if n == 0 {
				_, err := f.FinishRun(t.Context(), end, answer)
				return err
			}
			_, err := f.CancelRun(t.Context(), refOf(alice, run), cancelledAt)
			return err
		})
		wantOutcomes(t, errs, len(errs), "")
		want := end
		if f.run(t, run.ID).Status == chat.RunCancelled {
			want = cancelledRun(run, cancelledAt)
		}
		f.wantRun(t, "the run", run.ID, want)
		equal(t, "items", len(f.items(t, session)), 2*(round+1))
	}
}

// finishCancelled: the owner stores what the run has made, with one item and
// with several, and what it used. The run stays cancelled.
func finishCancelled(t *testing.T, f *fixture) {
	for _, items := range []int{0, 1, 2} {
		session := f.create(t, alice, start())
		run := f.begin(t, session, "hello", after(time.Second)).Run
		f.cancel(t, run, after(2*time.Second))
		end := run
		end.Status, end.EndedAt, end.FailureCode, end.FailureReason = chat.RunFailed, after(3*time.Second), chat.FailureInternal, "A fault."
		end.Model, end.UpstreamID, end.FinishReason = "vendor/other", "gen-123", chat.FinishStop
		end.FirstTokenAt = after(time.Second + time.Microsecond)
		end.Usage = chat.Usage{InputTokens: 1, OutputTokens: 2, CachedTokens: 3, ReasoningTokens: 4, Cost: new(0.5)}
		var part []chat.Item
		for range items {
			part = append(part, *newAnswer(end, "half an ans", after(3*time.Second)))
		}
		want := cancelledRun(end, after(2*time.Second))
		for range 2 {
			got, err := f.FinishRun(t.Context(), end, part)
			must(t, err)
			equal(t, "message count", got.MessageCount, 1+items)
		}
		f.wantRun(t, fmt.Sprint("with ", items, " items"), run.ID, want)
		f.wantRead(t, fmt.Sprint("with ", items, " items, read"), want)
		equal(t, "items", f.items(t, session)[1:], append([]chat.Item{}, part...))
		equal(t, "cancelled after its end", f.cancel(t, run, after(time.Hour)), want)
	}
}

func leasesOfCancelled(t *testing.T, f *fixture) {
	run := f.beginExpired(t, f.create(t, alice, start()), after(time.Second)).Run
	live := f.begin(t, f.create(t, alice, start()), "hello", after(time.Second)).Run
	want := f.cancel(t, run, after(2*time.Second))
	equal(t, "lost runs", f.renew(t, leaseLength, run.ID, live.ID), []chat.LostRun{{ID: run.ID, Status: chat.RunCancelled}})
	_, err := f.FailOrphanedRuns(t.Context(), live.Owner)
	must(t, err)
	f.wantRun(t, "the run", run.ID, want)
	must(t, f.AddItems(t.Context(), run, one(newAnswer(run, "half an ans", after(3*time.Second)))))
	f.wantRun(t, "the run with an item", run.ID, want)
}
