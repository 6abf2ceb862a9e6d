package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// itemsOfEachType: every field of an item is read as it was stored.
func itemsOfEachType(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	quote, group := "the \"quote\"", "people"
	run := newRun(session, "", after(time.Second))
	run.Message.QuotedText = &quote
	run.Message.Inference = chat.Inference{Model: "a/model", ToolChoice: "weather"}
	run.Message.Content = []chat.Content{
		{Type: chat.ContentInputText, Text: "Ask "},
		{Type: chat.ContentInputTag, Text: "Ada", Tag: &chat.Tag{
			ID: "7", Data: json.RawMessage(`{"age":36,"name":"Ada"}`), Group: &group, Interactive: true,
		}},
	}
	_, err := f.StartRun(t.Context(), run, limit)
	must(t, err)
	answer := *newAnswer(run.Run, "See there.", after(2*time.Second))
	answer.FinishReason = chat.FinishContentFilter
	answer.Content[0].Annotations = []chat.Annotation{
		{URL: "https://example.com/a", Title: "A", Index: new(3)}, {URL: "https://example.com/b", Title: "B"},
	}
	thought := newItem(run.Run, chat.ItemWorkflow, after(2*time.Second))
	thought.Workflow = &chat.Workflow{Thoughts: []string{"one", "two"}, Duration: 1500 * time.Millisecond, Done: true}
	note := newItem(run.Run, chat.ItemHiddenContext, after(2*time.Second))
	note.Content = []chat.Content{{Type: chat.ContentOutputText, Text: "a note"}}
	call := newItem(run.Run, chat.ItemClientToolCall, after(3*time.Second))
	call.ClientCall = &chat.ClientToolCall{CallID: "call_1", Name: "pick", Arguments: json.RawMessage(`{"of":["a","b"]}`), Beside: true}
	call.ReasoningDetails = json.RawMessage(`[ {"data": "<\u0000>"} ]`)
	end := run.Run
	end.Status, end.EndedAt = chat.RunCompleted, after(3*time.Second)
	got, err := f.FinishRun(t.Context(), end, []chat.Item{answer, thought, note, call})
	must(t, err)
	equal(t, "messages", got.MessageCount, 3)
	equal(t, "items", f.items(t, session), []chat.Item{run.Message, answer, thought, note, call})

	page, err := f.ListItems(t.Context(), alice, session.ID, chat.ItemQuery{Limit: 10, Ascending: true})
	must(t, err)
	equal(t, "visible items", page, chat.ItemPage{Items: []chat.Item{run.Message, answer, thought, call}})

	thought.Workflow = &chat.Workflow{Thoughts: []string{"anew"}}
	must(t, f.SaveItem(t.Context(), thought))
	equal(t, "the thought anew", f.items(t, session)[2], thought)
}

func newItem(run chat.Run, kind chat.ItemType, at time.Time) chat.Item {
	return chat.Item{ID: newID(), SessionID: run.SessionID, RunID: run.ID, Type: kind, Content: []chat.Content{}, CreatedAt: at}
}

// addItems: an item is stored once, though AddItems and FinishRun are repeated.
func addItems(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.begin(t, session, "hello", after(time.Second)).Run
	calls := newItem(run, chat.ItemToolCalls, after(2*time.Second))
	calls.ToolCalls = []chat.ToolCall{{ID: "a", Name: "add", Arguments: "{}"}}
	for range 2 {
		must(t, f.AddItems(t.Context(), run, []chat.Item{calls}))
	}
	equal(t, "messages", f.session(t, session).MessageCount, 2)
	result := "added"
	calls.ToolCalls[0].Result = &result
	must(t, f.SaveItem(t.Context(), calls))
	answer := newAnswer(run, "It is added.", after(3*time.Second))
	run.Status, run.EndedAt = chat.RunCompleted, after(3*time.Second)
	for range 2 { // As after a failure that left it unclear which of them are stored.
		got, err := f.FinishRun(t.Context(), run, []chat.Item{calls, *answer})
		must(t, err)
		equal(t, "messages", got.MessageCount, 3)
	}
	equal(t, "run", f.run(t, run.ID).Status, chat.RunCompleted)
	items := f.items(t, session)
	equal(t, "items", items[1:], []chat.Item{calls, *answer})

	must(t, f.DeleteSession(t.Context(), alice, session.ID))
	wantCode(t, "add to a deleted session", f.AddItems(t.Context(), run, []chat.Item{calls}), chat.CodeSessionNotFound)
	wantCode(t, "save in a deleted session", f.SaveItem(t.Context(), calls), chat.CodeSessionNotFound)
}

// finishAfterAdd: the end of a run is stored though AddItems has stored its item.
func finishAfterAdd(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.begin(t, session, "hello", after(time.Second)).Run
	answer := one(newAnswer(run, "hi", after(2*time.Second)))
	must(t, f.AddItems(t.Context(), run, answer))
	run.Status, run.EndedAt = chat.RunCompleted, after(3*time.Second)
	got, err := f.FinishRun(t.Context(), run, answer)
	must(t, err)
	equal(t, "messages", got.MessageCount, 2)
	equal(t, "run", f.run(t, run.ID).Status, chat.RunCompleted)
}

// retryRun: the items after the message are kept, but no method returns them.
func retryRun(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	first := f.begin(t, session, "one", after(time.Second))
	f.finish(t, first.Run, "ONE", after(2*time.Second))
	second := f.begin(t, session, "two", after(3*time.Second))
	gone := f.finish(t, second.Run, "TWO", after(4*time.Second))

	again := newRun(session, "", after(5*time.Second)).Run
	started, err := f.RetryRun(t.Context(), chat.Retry{UserID: alice, Run: again, ItemID: first.Message.ID}, limit)
	must(t, err)
	equal(t, "history", started.History, []chat.Item{first.Message})
	equal(t, "messages", started.Session.MessageCount, 1)
	equal(t, "titled", started.TitleSet, false)
	f.wantRows(t, "items", 4)
	answer := f.finish(t, again, "One!", after(6*time.Second))
	equal(t, "items", f.items(t, session), []chat.Item{first.Message, answer})
	page, err := f.ListItems(t.Context(), alice, session.ID, chat.ItemQuery{Limit: 10})
	must(t, err)
	equal(t, "listed", page.Items, []chat.Item{answer, first.Message})
	// A superseded item is a valid cursor.
	page, err = f.ListItems(t.Context(), alice, session.ID, chat.ItemQuery{Limit: 10, After: &gone.ID})
	must(t, err)
	equal(t, "listed after one that is gone", page.Items, []chat.Item{first.Message})

	next := newRun(session, "three", after(7*time.Second))
	started, err = f.StartRun(t.Context(), next, limit)
	must(t, err)
	equal(t, "history of the next", started.History, []chat.Item{first.Message, answer})
	equal(t, "messages", started.Session.MessageCount, 3)
}

func retryRefused(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.begin(t, session, "one", after(time.Second))
	retry := func(user string, item uuid.UUID, of chat.Session) error {
		_, err := f.RetryRun(t.Context(), chat.Retry{
			UserID: user, Run: newRun(of, "", after(3*time.Second)).Run, ItemID: item,
		}, limit)
		return err
	}
	wantCode(t, "a retry during a run", retry(alice, run.Message.ID, session), chat.CodeRunInProgress)
	answer := f.finish(t, run.Run, "ONE", after(2*time.Second))
	before := f.session(t, session)
	wantCode(t, "another user's", retry(bob, run.Message.ID, session), chat.CodeForbidden)
	wantCode(t, "no such session", retry(alice, run.Message.ID, newSession(alice, start())), chat.CodeSessionNotFound)
	wantCode(t, "no such item", retry(alice, newID(), session), chat.CodeItemNotFound)
	wantCode(t, "an answer", retry(alice, answer.ID, session), chat.CodeItemNotFound)
	other := f.create(t, alice, start())
	wantCode(t, "another session's item", retry(alice, run.Message.ID, other), chat.CodeItemNotFound)
	equal(t, "session", f.session(t, session), before)
	equal(t, "items", len(f.items(t, session)), 2)
	f.wantRows(t, "runs", 1)
}

func resumeRun(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	begun := f.begin(t, session, "one", after(time.Second))
	run := begun.Run
	var next chat.Run
	resume := func(user string, output string) (chat.StartedRun, error) {
		next = newRun(session, "", after(5*time.Second)).Run
		// The history has the question of the call, whatever its limit.
		return f.ResumeRun(t.Context(), chat.Resume{UserID: user, Run: next, Output: json.RawMessage(output)}, 1)
	}
	_, err := resume(alice, `1`)
	wantCode(t, "during a run", err, chat.CodeRunInProgress)
	thought := newItem(run, chat.ItemWorkflow, after(2*time.Second))
	thought.Workflow = &chat.Workflow{Thoughts: []string{"hm"}}
	call := newItem(run, chat.ItemClientToolCall, after(3*time.Second))
	call.ClientCall = &chat.ClientToolCall{CallID: "a", Name: "pick", Arguments: json.RawMessage(`{}`)}
	run.Status, run.EndedAt = chat.RunCompleted, after(3*time.Second)
	_, err = f.FinishRun(t.Context(), run, []chat.Item{thought, call})
	must(t, err)
	_, err = resume(bob, `1`)
	wantCode(t, "another user's", err, chat.CodeForbidden)

	started, err := resume(alice, `{"colour":"green"}`)
	must(t, err)
	call.ClientCall.Output = json.RawMessage(`{"colour":"green"}`)
	equal(t, "history", started.History, []chat.Item{begun.Message, thought, call})
	equal(t, "items", f.items(t, session), []chat.Item{begun.Message, thought, call})
	f.finish(t, next, "Green.", after(6*time.Second))
	_, err = resume(alice, `2`)
	wantCode(t, "no call waits", err, chat.CodeInvalidRequest)
	empty := f.create(t, alice, start())
	_, err = f.ResumeRun(t.Context(), chat.Resume{
		UserID: alice, Run: newRun(empty, "", after(time.Second)).Run, Output: json.RawMessage(`1`),
	}, limit)
	wantCode(t, "an empty thread", err, chat.CodeInvalidRequest)
}

// listItemsPages: the pages have each item once, in either order and of any size,
// though items are added meanwhile.
func listItemsPages(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	for n := range 7 {
		run := f.begin(t, session, fmt.Sprint("question ", n), start())
		f.finish(t, run.Run, fmt.Sprint("answer ", n), start())
	}
	whole := texts(f.items(t, session))
	for _, ascending := range []bool{true, false} {
		for _, size := range []int{1, 3, 14, 20} {
			var got []string
			before := slices.Clone(whole)
			query := chat.ItemQuery{Limit: size, Ascending: ascending}
			for added := false; ; added = true {
				page, err := f.ListItems(t.Context(), alice, session.ID, query)
				must(t, err)
				got = append(got, texts(page.Items)...)
				if !page.HasMore {
					break
				}
				query.After = &page.Items[len(page.Items)-1].ID
				if !added {
					run := f.begin(t, session, "added", start())
					f.finish(t, run.Run, "added too", start())
					whole = append(whole, "added", "added too")
				}
			}
			want := whole // Newest first, what comes after the first page is on none.
			if !ascending {
				want = before
				slices.Reverse(want)
			}
			equal(t, fmt.Sprintf("ascending %v, pages of %d", ascending, size), got, want)
		}
	}
	unknown := newID()
	_, err := f.ListItems(t.Context(), alice, session.ID, chat.ItemQuery{Limit: 1, After: &unknown})
	wantCode(t, "after an unknown item", err, chat.CodeItemNotFound)
	_, err = f.ListItems(t.Context(), bob, session.ID, chat.ItemQuery{Limit: 1})
	wantCode(t, "another user's", err, chat.CodeForbidden)
	_, err = f.ListItems(t.Context(), alice, newID(), chat.ItemQuery{Limit: 1})
	wantCode(t, "no such session", err, chat.CodeSessionNotFound)
}

func (f *fixture) claimTitle(t *testing.T, session chat.Session, run uuid.UUID, want bool) {
	t.Helper()
	got, err := f.ClaimTitle(t.Context(), session.ID, run)
	must(t, err)
	equal(t, "the title is to be made", got, want)
}

// titleClaims: the claims of one of several concurrent runs succeed, and none
// after a title is made or chosen. After a claim without a title the next run may
// claim it.
func titleClaims(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	first := f.begin(t, session, "one", after(time.Second))
	f.finish(t, first.Run, "ONE", after(2*time.Second))
	// answerAnew answers the first message with another run.
	answerAnew := func(titleCut bool) uuid.UUID {
		t.Helper()
		run := newRun(session, "", after(3*time.Second)).Run
		started, err := f.RetryRun(t.Context(), chat.Retry{UserID: alice, Run: run, ItemID: first.Message.ID}, limit)
		must(t, err)
		equal(t, "cut from a message", started.TitleCut, titleCut)
		equal(t, "title", started.Session.Title, "About one")
		f.finish(t, run, "ONE", after(4*time.Second))
		return run.ID
	}
	runs := []uuid.UUID{first.Run.ID, answerAnew(true)}
	var claims [2]atomic.Int64
	wantOutcomes(t, atOnce(10, func(n int) error {
		claimed, err := f.ClaimTitle(t.Context(), session.ID, runs[n%2])
		if claimed {
			claims[n%2].Add(1)
		}
		return err
	}), 10, "")
	winner := 0
	if claims[1].Load() > 0 {
		winner = 1
	}
	equal(t, "claims of one run", claims[winner].Load(), int64(5))
	equal(t, "claims of the other", claims[1-winner].Load(), int64(0))
	third := answerAnew(false)
	must(t, f.FinishTitle(t.Context(), chat.MadeTitle{SessionID: session.ID, RunID: third, Title: "Made without a claim"}))
	f.claimTitle(t, session, third, false)
	must(t, f.FinishTitle(t.Context(), chat.MadeTitle{SessionID: session.ID, RunID: runs[winner]}))
	fourth := answerAnew(true)
	f.claimTitle(t, session, fourth, true)
	f.claimTitle(t, session, runs[winner], false)
	_, err := f.SetTitle(t.Context(), alice, session.ID, "About one")
	must(t, err)
	f.claimTitle(t, session, fourth, false)
	must(t, f.FinishTitle(t.Context(), chat.MadeTitle{SessionID: session.ID, RunID: fourth, Title: "Made too late"}))
	fifth := answerAnew(false)
	f.claimTitle(t, session, fifth, false)
}

// titleUsage: a title's usage is added to the run that it was made of, also if no
// title could be made.
func titleUsage(t *testing.T, f *fixture) {
	finished := func(usage chat.Usage) chat.Run {
		run := f.begin(t, f.create(t, alice, start()), "one", after(time.Second)).Run
		run.Status, run.EndedAt, run.Usage = chat.RunCompleted, after(2*time.Second), usage
		_, err := f.FinishRun(t.Context(), run, one(newAnswer(run, "ONE", after(2*time.Second))))
		must(t, err)
		return run
	}
	tokens := chat.Usage{InputTokens: 10, OutputTokens: 20, CachedTokens: 30, ReasoningTokens: 40}
	costly := tokens
	costly.Cost = new(0.25)
	for name, test := range map[string]struct {
		run, title chat.Usage
		cost       *float64
	}{
		"no cost":        {tokens, tokens, nil},
		"the run's cost": {costly, tokens, new(0.25)},
		"the title's":    {tokens, costly, new(0.25)},
		"both":           {costly, costly, new(0.5)},
	} {
		run := finished(test.run)
		must(t, f.FinishTitle(t.Context(), chat.MadeTitle{SessionID: run.SessionID, RunID: run.ID, Usage: test.title}))
		want := run
		want.Usage = chat.Usage{InputTokens: 20, OutputTokens: 40, CachedTokens: 60, ReasoningTokens: 80, Cost: test.cost}
		f.wantRun(t, name, run.ID, want)
	}
}

// titleAgain: a repeat, whose first call was stored though its answer was lost,
// counts nothing twice and ends no claim of another run.
func titleAgain(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	first := f.begin(t, session, "one", after(time.Second))
	first.Run.Status, first.Run.EndedAt = chat.RunCompleted, after(2*time.Second)
	answer := newAnswer(first.Run, "ONE", after(2*time.Second))
	_, err := f.FinishRun(t.Context(), first.Run, one(answer))
	must(t, err)
	f.claimTitle(t, session, first.Run.ID, true)
	none := chat.MadeTitle{SessionID: session.ID, RunID: first.Run.ID, Usage: chat.Usage{InputTokens: 1, Cost: new(0.25)}}
	must(t, f.FinishTitle(t.Context(), none))
	second := f.begin(t, session, "two", after(3*time.Second)).Run
	f.finish(t, second, "TWO", after(4*time.Second))
	f.claimTitle(t, session, second.ID, true)

	must(t, f.FinishTitle(t.Context(), none))
	f.claimTitle(t, session, first.Run.ID, false) // The second run's claim has not ended.
	_, err = f.FinishRun(t.Context(), first.Run, one(answer))
	must(t, err)
	want := first.Run
	want.Usage = none.Usage
	f.wantRun(t, "the first run", first.Run.ID, want)

	made := chat.MadeTitle{SessionID: session.ID, RunID: second.ID, Title: "Made of it all", Usage: none.Usage}
	errs := atOnce(10, func(int) error { return f.FinishTitle(t.Context(), made) })
	wantOutcomes(t, errs, len(errs), "")
	equal(t, "usage of the second run", f.run(t, second.ID).Usage, none.Usage)
	equal(t, "title", f.session(t, session).Title, "Made of it all")
	must(t, f.DeleteSession(t.Context(), alice, session.ID))
	must(t, f.FinishTitle(t.Context(), made))
}

func titles(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	first := f.begin(t, session, "one", after(time.Second)).Run
	before := f.session(t, session)
	f.claimTitle(t, session, first.ID, true)
	must(t, f.FinishTitle(t.Context(), chat.MadeTitle{SessionID: session.ID, RunID: first.ID, Title: "Made of it all"}))
	equal(t, "made title", f.session(t, session).Title, "Made of it all")
	equal(t, "updated", f.session(t, session).UpdatedAt, before.UpdatedAt)
	f.claimTitle(t, session, first.ID, false)
	got, err := f.SetTitle(t.Context(), alice, session.ID, "Mine")
	must(t, err)
	equal(t, "chosen title", got.Title, "Mine")
	f.claimTitle(t, session, first.ID, false)
	f.finish(t, first, "ONE", after(time.Minute))
	second := f.begin(t, session, "two", after(time.Hour)).Run
	must(t, f.FinishTitle(t.Context(), chat.MadeTitle{SessionID: session.ID, RunID: second.ID, Title: "Made too late"}))
	equal(t, "a chosen title stays", f.session(t, session).Title, "Mine")
	_, err = f.SetTitle(t.Context(), bob, session.ID, "His")
	wantCode(t, "another user's", err, chat.CodeForbidden)
	_, err = f.SetTitle(t.Context(), alice, newID(), "None")
	wantCode(t, "no such session", err, chat.CodeSessionNotFound)
	must(t, f.FinishTitle(t.Context(), chat.MadeTitle{SessionID: newID(), RunID: newID(), Title: "Of no session"}))
	f.claimTitle(t, newSession(alice, start()), second.ID, false)

	untitled := f.create(t, alice, start())
	_, err = f.SetTitle(t.Context(), alice, untitled.ID, "Before the first")
	must(t, err)
	run := newRun(untitled, "one", after(time.Second))
	started, err := f.StartRun(t.Context(), run, limit)
	must(t, err)
	equal(t, "a title from before", started.Session.Title, "Before the first")
	equal(t, "titled by the message", started.TitleSet, false)
}

func feedback(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	run := f.begin(t, session, "one", after(time.Second))
	answer := f.finish(t, run.Run, "ONE", after(2*time.Second))
	give := func(user string, in uuid.UUID, kind chat.FeedbackKind, items ...uuid.UUID) error {
		return f.SaveFeedback(t.Context(), chat.Feedback{
			UserID: user, SessionID: in, ItemIDs: items, Kind: kind, At: after(time.Minute),
		})
	}
	must(t, give(alice, session.ID, chat.FeedbackPositive, answer.ID))
	must(t, give(alice, session.ID, chat.FeedbackNegative, answer.ID, run.Message.ID))
	f.wantRows(t, "feedback", 2)
	wantCode(t, "another user's", give(bob, session.ID, chat.FeedbackPositive, answer.ID), chat.CodeForbidden)
	wantCode(t, "no such session", give(alice, newID(), chat.FeedbackPositive, answer.ID), chat.CodeSessionNotFound)
	other := f.create(t, alice, start())
	wantCode(t, "another session's item", give(alice, other.ID, chat.FeedbackPositive, answer.ID), chat.CodeItemNotFound)
	third := f.begin(t, session, "two", after(time.Hour)).Message
	wantCode(t, "one of two unknown", give(alice, session.ID, chat.FeedbackPositive, third.ID, newID()), chat.CodeItemNotFound)
	f.wantRows(t, "feedback", 2)
	must(t, f.DeleteSession(t.Context(), alice, session.ID))
	f.wantRows(t, "feedback", 0)
}

func listAscending(t *testing.T, f *fixture) {
	var want []uuid.UUID
	for n := range 5 {
		want = append(want, f.create(t, alice, after(time.Duration(n/2)*time.Second)).ID)
	}
	var got []uuid.UUID
	query := chat.SessionQuery{Limit: 2, Ascending: true}
	for {
		page, err := f.ListSessions(t.Context(), alice, query)
		must(t, err)
		for _, session := range page.Sessions {
			got = append(got, session.ID)
		}
		if !page.HasMore {
			break
		}
		cursor := page.Cursor()
		query.After = &cursor
	}
	newest, err := f.ListSessions(t.Context(), alice, chat.SessionQuery{Limit: 10})
	must(t, err)
	equal(t, "sessions", len(got), len(want))
	for n, session := range newest.Sessions {
		equal(t, fmt.Sprint("session ", n, " from the end"), got[len(got)-1-n], session.ID)
	}
}
