package storetest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// historiesAreTheItems: after any change of a thread, a start returns the newest of
// its items as the history.
func historiesAreTheItems(t *testing.T, f *fixture) {
	const seed, steps, most = 7, 300, 6
	dice := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // the same each time
	sessions := []chat.Session{f.create(t, alice, start()), f.create(t, alice, start()), f.create(t, bob, start())}
	for step := range steps {
		at, which := after(time.Duration(step)*time.Second), dice.IntN(len(sessions))
		session := sessions[which]
		run := newRun(session, fmt.Sprint("message ", step), at)
		run.UserID = session.UserID
		limit := 1 + dice.IntN(most)
		started, err := f.StartRun(t.Context(), run, limit)
		must(t, err)
		_, items, err := f.SessionWithItems(t.Context(), session.UserID, session.ID)
		must(t, err)
		equal(t, "the message", items[len(items)-1], run.Message)
		items = items[:len(items)-1]
		want := items[max(0, len(items)-limit):]
		equal(t, fmt.Sprint("history at step ", step), append([]chat.Item{}, started.History...), append([]chat.Item{}, want...))
		sessions[which] = f.changeThread(t, dice, run.Run, session, at)
	}
}

// changeThread ends a run in one of several ways and changes its thread. It
// returns the session, or a new one if it deleted it.
func (f *fixture) changeThread(t *testing.T, dice *rand.Rand, run chat.Run, session chat.Session, at time.Time) chat.Session {
	t.Helper()
	calls := newItem(run, chat.ItemToolCalls, at)
	calls.ToolCalls = []chat.ToolCall{{ID: "a", Name: "add", Arguments: "{}"}}
	end := run
	end.Status, end.EndedAt = chat.RunCompleted, at
	finish := func(items ...chat.Item) {
		_, err := f.FinishRun(t.Context(), end, items)
		must(t, err)
	}
	answer := *newAnswer(run, "an answer", at)
	switch dice.IntN(8) {
	case 0:
		finish()
	case 1:
		finish(*newAnswer(run, "one", at), newItem(run, chat.ItemHiddenContext, at))
	case 2:
		must(t, f.AddItems(t.Context(), run, []chat.Item{calls}))
		result := "done"
		calls.ToolCalls[0].Result = &result
		must(t, f.SaveItem(t.Context(), calls))
		finish(answer)
	case 3:
		finish(answer)
		finish(answer) // As after an end whose answer was lost.
	case 4:
		finish(answer)
		_, items, err := f.SessionWithItems(t.Context(), session.UserID, session.ID)
		must(t, err)
		question := items[0]
		for _, item := range items {
			if item.Type == chat.ItemUserMessage && dice.IntN(2) == 0 {
				question = item
			}
		}
		again := newRun(session, "", at).Run
		_, err = f.RetryRun(t.Context(), chat.Retry{UserID: session.UserID, Run: again, ItemID: question.ID}, limit)
		must(t, err)
		f.finish(t, again, "another answer", at)
	case 5:
		must(t, f.DeleteSession(t.Context(), session.UserID, session.ID))
		return f.create(t, session.UserID, at)
	default:
		finish(answer)
	}
	return session
}
