// Package storetest is the conformance suite of [chat.Store]. It tests the
// contract of the interface on any implementation.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Harness makes the implementation under test.
type Harness struct {
	// Open returns an empty store, which is closed when the test ends, and a
	// probe of its database.
	Open func(t *testing.T) (Store, Probe)
	// OneProcess says that the database serves one process, so that the running
	// runs of every other owner are orphans.
	OneProcess bool
}

// Store is a store that can be closed.
type Store interface {
	chat.Store
	Close() error
}

// Probe reads a store's database without the store.
type Probe interface {
	// Run reads a run without its lease; false when there is none.
	Run(t *testing.T, id uuid.UUID) (chat.Run, bool)
	// LeaseLeft is how long the lease of a stored run lasts from now; it is
	// negative when the lease is over.
	LeaseLeft(t *testing.T, id uuid.UUID) time.Duration
	// Rows counts the rows of the tables sessions, items, runs or feedback.
	Rows(t *testing.T, table string) int
}

// clause is a part of the interface's contract.
type clause struct {
	name string
	test func(t *testing.T, f *fixture)
}

// Run tests each clause on a store of its own.
func Run(t *testing.T, h Harness) {
	t.Helper()
	clauses := slices.Concat([]clause{
		{"CreateSession stores the session", createStores},
		{"CreateSession refuses one too many", createLimit},
		{"CreateSession called concurrently", createAtOnce},
		{"CreateSession does not count one that fails", createFailed},
		{"users with unusual ids are different users", oddUsers},
		{"Session of another user and a missing one", sessionOwner},
		{"times keep their microseconds", times},
		{"ListSessions orders by update", listOrder},
		{"ListSessions pages through ties", listTies},
		{"ListSessions totals", listTotal},
		{"ListSessions after a cursor whose session is gone", listGoneCursor},
		{"ListSessions while sessions are touched", listWhileTouched},
		{"SessionWithItems is empty at first", itemsNone},
		{"SessionWithItems returns the stored items", itemsStored},
		{"SessionWithItems keeps the order of many", itemsOrder},
		{"SessionWithItems of another user and a missing one", itemsOwner},
		{"texts of any script", itemsUnicode},
		{"DeleteSession deletes items and runs", deleteCascades},
		{"DeleteSession frees a place under the limit", deleteMakesRoom},
		{"DeleteSession of another user and a missing one", deleteOwner},
		{"DeleteSession counts once when called concurrently", deleteAtOnce},
		{"StartRun stores the run and its message", startStores},
		{"StartRun sets the title once", startTitle},
		{"StartRun returns the newest history", startHistory},
		{"StartRun for another user and in a missing session", startOwner},
		{"StartRun refuses a second run", startSecond},
		{"StartRun changes nothing when refused", startRefused},
		{"StartRun refuses ids that are taken", startTaken},
		{"StartRun called concurrently", startAtOnce},
		{"StartRun fails a run whose lease is over", startExpired},
		{"histories are the newest items after any change", historiesAreTheItems},
		{"StartThread stores the session, the run and its message", threadStores},
		{"StartThread refuses one too many", threadLimit},
		{"StartThread called concurrently", threadsAtOnce},
		{"StartThread stores all or nothing", threadTaken},
		{"UpdatedAt never decreases", updatedForward},
		{"FinishRun stores the end", finishStores},
		{"FinishRun without an item", finishWithoutItem},
		{"FinishRun with texts that a database refuses", finishOddTexts},
		{"FinishRun may be called again", finishAgain},
		{"FinishRun stores the first end", finishOnce},
		{"FinishRun of a run that was taken for dead", finishLostLease},
		{"FinishRun in a deleted session", finishDeleted},
		{"items of each type", itemsOfEachType},
		{"AddItems and SaveItem before the end", addItems},
		{"FinishRun after its item was added", finishAfterAdd},
		{"RetryRun supersedes what came after", retryRun},
		{"RetryRun changes nothing when refused", retryRefused},
		{"ResumeRun answers the pending call", resumeRun},
		{"ListItems in pages", listItemsPages},
		{"ListSessions oldest first", listAscending},
		{"titles by the model and by the user", titles},
		{"a title's usage is added to its run", titleUsage},
		{"FinishTitle may be called again", titleAgain},
		{"ClaimTitle has one winner", titleClaims},
		{"SaveFeedback", feedback},
		{"RenewLeases renews running runs and returns the others", renewLeases},
		{"FailOrphanedRuns marks runs whose lease is over", orphans},
		{"FailOrphanedRuns leaves the owner's runs", orphansOwn},
		{"all methods called concurrently in few sessions", everythingAtOnce},
		{"a context that has ended", cancelled},
		{"a closed store", closed},
	}, runQueryClauses(), attachmentClauses())
	for _, clause := range clauses {
		t.Run(clause.name, func(t *testing.T) {
			t.Parallel()
			store, probe := h.Open(t)
			clause.test(t, &fixture{Store: store, probe: probe, oneProcess: h.OneProcess})
		})
	}
}

// fixture is a store under test, with helpers that fill it.
type fixture struct {
	Store

	probe      Probe
	oneProcess bool
}

const (
	alice = "alice"
	bob   = "bob"
	limit = 10

	// leaseLength is the lease of a run whose owner lives; it lasts longer than
	// a test. The lease of a run whose owner is dead was over when it began.
	leaseLength  = 10 * time.Minute
	expiredLease = -time.Second
)

// start is the time at which the tests' sessions begin. Only the order of times
// matters.
func start() time.Time { return time.Date(2026, 3, 14, 15, 9, 26, 535_897_000, time.UTC) }

func after(d time.Duration) time.Time { return start().Add(d) }

func newSession(user string, at time.Time) chat.Session {
	return chat.Session{ID: uuid.New(), UserID: user, CreatedAt: at, UpdatedAt: at}
}

// create stores a new session.
func (f *fixture) create(t *testing.T, user string, at time.Time) chat.Session {
	t.Helper()
	session := newSession(user, at)
	must(t, f.CreateSession(t.Context(), session, limit))
	return session
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// newRun returns a run and its message for a session.
func newRun(session chat.Session, text string, at time.Time) chat.NewRun {
	run := chat.Run{
		ID: newID(), SessionID: session.ID, Status: chat.RunRunning, Model: "test/model",
		StartedAt: at, Owner: newID(), Lease: leaseLength,
	}
	return chat.NewRun{
		UserID: session.UserID, Run: run, Title: "About " + text,
		Message: chat.Item{
			ID: newID(), SessionID: session.ID, RunID: run.ID, Type: chat.ItemUserMessage, CreatedAt: at,
			Content: []chat.Content{{Type: chat.ContentInputText, Text: text}},
		},
	}
}

// begin starts a run.
func (f *fixture) begin(t *testing.T, session chat.Session, text string, at time.Time) chat.NewRun {
	t.Helper()
	run := newRun(session, text, at)
	_, err := f.StartRun(t.Context(), run, limit)
	must(t, err)
	return run
}

// beginExpired starts a run whose lease is over.
func (f *fixture) beginExpired(t *testing.T, session chat.Session, at time.Time) chat.NewRun {
	t.Helper()
	run := newRun(session, "hello", at)
	run.Run.Lease = expiredLease
	_, err := f.StartRun(t.Context(), run, limit)
	must(t, err)
	return run
}

func one(item *chat.Item) []chat.Item { return []chat.Item{*item} }

func newAnswer(run chat.Run, text string, at time.Time) *chat.Item {
	return &chat.Item{
		ID: newID(), SessionID: run.SessionID, RunID: run.ID, Type: chat.ItemAssistantMessage, CreatedAt: at,
		Content: []chat.Content{{Type: chat.ContentOutputText, Text: text}},
	}
}

// finish completes a run with an answer.
func (f *fixture) finish(t *testing.T, run chat.Run, text string, at time.Time) chat.Item {
	t.Helper()
	run.Status, run.EndedAt = chat.RunCompleted, at
	item := newAnswer(run, text, at)
	_, err := f.FinishRun(t.Context(), run, one(item))
	must(t, err)
	return *item
}

// session reads a session that must exist.
func (f *fixture) session(t *testing.T, s chat.Session) chat.Session {
	t.Helper()
	got, err := f.Session(t.Context(), s.UserID, s.ID)
	must(t, err)
	return got
}

// items reads the items of a session that must exist.
func (f *fixture) items(t *testing.T, s chat.Session) []chat.Item {
	t.Helper()
	_, items, err := f.SessionWithItems(t.Context(), s.UserID, s.ID)
	must(t, err)
	return items
}

// run reads a run that must be stored.
func (f *fixture) run(t *testing.T, id uuid.UUID) chat.Run {
	t.Helper()
	run, ok := f.probe.Run(t, id)
	if !ok {
		t.Fatalf("run %s is not stored", id)
	}
	return run
}

// wantRun checks a stored run, but for its lease.
func (f *fixture) wantRun(t *testing.T, what string, id uuid.UUID, want chat.Run) {
	t.Helper()
	want.Lease = 0
	equal(t, what, f.run(t, id), want)
}

func (f *fixture) wantRows(t *testing.T, table string, want int) {
	t.Helper()
	if got := f.probe.Rows(t, table); got != want {
		t.Errorf("table %s has %d rows, want %d", table, got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

func wantCode(t *testing.T, what string, err error, want chat.Code) {
	t.Helper()
	if got := chat.CodeOf(err); got != want {
		t.Errorf("%s: error %v, want %s", what, err, want)
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", what, show(got), show(want))
	}
}

// show formats a value, cut to some lines.
func show(v any) string { return fmt.Sprintf("%.2000s", fmt.Sprintf("%+v", v)) }

// atOnce calls f from n goroutines at the same time and returns their errors.
func atOnce(n int, f func(i int) error) []error {
	errs := make([]error, n)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-begin
			errs[i] = f(i)
		})
	}
	close(begin)
	wg.Wait()
	return errs
}

// wantOutcomes checks that the given number of errors is nil and that all others
// have the code.
func wantOutcomes(t *testing.T, errs []error, succeed int, code chat.Code) {
	t.Helper()
	succeeded := 0
	for _, err := range errs {
		switch {
		case err == nil:
			succeeded++
		case chat.CodeOf(err) != code:
			t.Errorf("unexpected error: %v, want %s", err, code)
		}
	}
	if succeeded != succeed {
		t.Errorf("%d of %d succeeded, want %d", succeeded, len(errs), succeed)
	}
}

// methods returns a call of each method as the owner of a session.
func (f *fixture) methods(s chat.Session) map[string]func(ctx context.Context) error {
	run := newRun(s, "hello", after(time.Minute))
	methods := map[string]func(ctx context.Context) error{
		"CreateSession": func(ctx context.Context) error {
			return f.CreateSession(ctx, newSession(s.UserID, start()), limit)
		},
		"Session": func(ctx context.Context) error {
			_, err := f.Session(ctx, s.UserID, s.ID)
			return err
		},
		"SessionWithItems": func(ctx context.Context) error {
			_, _, err := f.SessionWithItems(ctx, s.UserID, s.ID)
			return err
		},
		"ListSessions": func(ctx context.Context) error {
			_, err := f.ListSessions(ctx, s.UserID, chat.SessionQuery{Limit: limit})
			return err
		},
		"StartRun": func(ctx context.Context) error {
			_, err := f.StartRun(ctx, run, limit)
			return err
		},
		"StartThread": func(ctx context.Context) error {
			session := newSession(s.UserID, start())
			_, err := f.StartThread(ctx, session, limit, newRun(session, "hello", start()))
			return err
		},
		"FinishRun": func(ctx context.Context) error {
			_, err := f.FinishRun(ctx, run.Run, one(newAnswer(run.Run, "hi", after(time.Minute))))
			return err
		},
		"RetryRun": func(ctx context.Context) error {
			_, err := f.RetryRun(ctx, chat.Retry{UserID: s.UserID, Run: run.Run, ItemID: run.Message.ID}, limit)
			return err
		},
		"ResumeRun": func(ctx context.Context) error {
			_, err := f.ResumeRun(ctx, chat.Resume{UserID: s.UserID, Run: run.Run, Output: []byte("1")}, limit)
			return err
		},
		"AddItems": func(ctx context.Context) error { return f.AddItems(ctx, run.Run, []chat.Item{run.Message}) },
		"SaveItem": func(ctx context.Context) error { return f.SaveItem(ctx, run.Message) },
		"ListItems": func(ctx context.Context) error {
			_, err := f.ListItems(ctx, s.UserID, s.ID, chat.ItemQuery{Limit: limit})
			return err
		},
		"SetTitle": func(ctx context.Context) error {
			_, err := f.SetTitle(ctx, s.UserID, s.ID, "A title")
			return err
		},
		"ClaimTitle": func(ctx context.Context) error {
			_, err := f.ClaimTitle(ctx, s.ID, run.Run.ID)
			return err
		},
		"FinishTitle": func(ctx context.Context) error {
			return f.FinishTitle(ctx, chat.MadeTitle{SessionID: s.ID, RunID: run.Run.ID, Title: "A title"})
		},
		"SaveFeedback": func(ctx context.Context) error {
			return f.SaveFeedback(ctx, chat.Feedback{UserID: s.UserID, SessionID: s.ID, Kind: chat.FeedbackPositive})
		},
		"RenewLeases": func(ctx context.Context) error {
			_, err := f.RenewLeases(ctx, []uuid.UUID{run.Run.ID}, time.Hour)
			return err
		},
		"FailOrphanedRuns": func(ctx context.Context) error {
			_, err := f.FailOrphanedRuns(ctx, newID())
			return err
		},
		"DeleteSession": func(ctx context.Context) error { return f.DeleteSession(ctx, s.UserID, s.ID) },
	}
	maps.Copy(methods, f.runQueryMethods(run))
	return methods
}

// cancelled: with a context that has ended nothing is stored, and the error is
// the context's.
func cancelled(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, method := range f.methods(session) {
		if err := method(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want context.Canceled", name, err)
		} else if chat.CodeOf(err) != "" {
			t.Errorf("%s: error %v must not have a code", name, err)
		}
	}
	equal(t, "session", f.session(t, session), session)
	f.wantRows(t, "sessions", 1)
	f.wantRows(t, "items", 0)

	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	for name, method := range f.methods(session) {
		wantCode(t, name+" past its deadline", method(late), chat.CodeServiceUnavailable)
	}
}

// closed: every method of a closed store returns SERVICE_UNAVAILABLE.
func closed(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	must(t, f.Close())
	for name, method := range f.methods(session) {
		wantCode(t, name, method(t.Context()), chat.CodeServiceUnavailable)
	}
}
