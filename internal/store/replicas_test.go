package store_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
	"github.com/chatkit-rest/chatkit-rest/internal/eventlog"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database/databasetest"
)

// heldModel sends one delta and ends its answers when the test releases them.
type heldModel struct {
	release chan struct{}
	// cancelled receives a value for each answer whose context ended first.
	cancelled chan struct{}
}

func newHeldModel() *heldModel {
	return &heldModel{release: make(chan struct{}), cancelled: make(chan struct{}, 10)}
}

func (m *heldModel) Stream(ctx context.Context, _ chat.ModelRequest) (chat.ModelStream, error) {
	return &heldStream{model: m, ctx: ctx}, nil
}

type heldStream struct {
	model *heldModel
	ctx   context.Context //nolint:containedctx // as a real stream holds its connection's
	begun bool
}

func (s *heldStream) Next(chunk *chat.Chunk) error {
	if !s.begun {
		s.begun = true
		*chunk = chat.Chunk{Text: "an answer"}
		return nil
	}
	select {
	case <-s.model.release:
		return io.EOF
	case <-s.ctx.Done():
		s.model.cancelled <- struct{}{}
		return s.ctx.Err()
	}
}

func (*heldStream) Close() error { return nil }

// newReplica returns a service on a database that others may use too. Its clock
// differs from the database's by skew. It is not started.
func newReplica(t *testing.T, c database.Config, model chat.Model, lease, skew time.Duration) *runs.Service {
	t.Helper()
	service := runs.NewService(runs.Options{
		Store: store.New(databasetest.Open(t, c)), Log: eventlog.NewMemory(eventlog.Options{}), Model: model, Lease: lease,
		Now:    func() time.Time { return time.Now().Add(skew) },
		Limits: runs.Limits{SessionsPerUser: 10, MessageChars: 500, HistoryMessages: 40, HistoryChars: 32000},
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = service.Shutdown(ctx) // It cancels the runs.
	})
	return service
}

func send(t *testing.T, service *runs.Service, session uuid.UUID, text string) (*runs.ActiveRun, error) {
	t.Helper()
	return service.StartRun(t.Context(), runs.RunRequest{
		UserID: "alice", SessionID: session, ThreadID: session,
		Content: []chat.Content{{Type: chat.ContentInputText, Text: text}},
	})
}

// waitUntilEnded follows a run to its end and returns its failure; nil when the
// answer is complete.
func waitUntilEnded(t *testing.T, run *runs.ActiveRun) *chat.Failed {
	t.Helper()
	follower := run.Follow(0)
	defer follower.Close()
	var failure *chat.Failed
	for {
		events, ended := follower.Poll()
		for _, event := range events {
			if event, ok := event.(chat.Failed); ok {
				failure = &event
			}
		}
		if ended {
			return failure
		}
		select {
		case <-follower.Ready():
		case <-time.After(20 * time.Second):
			t.Fatal("the run does not end")
		}
	}
}

// waitForStatus waits until a stored run has a status.
func waitForStatus(t *testing.T, p probe, id uuid.UUID, want chat.RunStatus) chat.Run {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		run, ok := p.Run(t, id)
		if ok && run.Status == want {
			return run
		}
		if time.Now().After(deadline) {
			t.Fatalf("the run is %q, want %q", run.Status, want)
		}
	}
}

func skews() map[string]time.Duration {
	return map[string]time.Duration{
		"20 s ahead": 20 * time.Second, "an hour ahead": time.Hour,
		"20 s behind": -20 * time.Second, "an hour behind": -time.Hour,
	}
}

// Where the clocks of replicas differ, none marks the live run of another as
// failed or starts a second run beside it.
func TestLiveRunWithSkewedClocks(t *testing.T) {
	t.Parallel()
	for name, skew := range skews() {
		t.Run(name, func(t *testing.T) { testSkewedClocks(t, 0, skew) })
		t.Run("the owner's is "+name, func(t *testing.T) { testSkewedClocks(t, skew, 0) })
	}
}

// testSkewedClocks has one replica execute a run and another find it.
func testSkewedClocks(t *testing.T, ownerSkew, otherSkew time.Duration) {
	t.Parallel()
	c := databasetest.PostgreSQL(t)
	session := createSession(t, open(t, c), "alice")
	model := newHeldModel()
	owner, other := newReplica(t, c, model, 15*time.Second, ownerSkew), newReplica(t, c, model, 15*time.Second, otherSkew)
	if err := owner.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	run, err := send(t, owner, session.ID, "hello")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(t.Context()); err != nil { // It marks the orphans that it finds.
		t.Fatal(err)
	}
	p := probe{databasetest.OpenSQL(t, c)}
	if stored, _ := p.Run(t, run.ID); stored.Status != chat.RunRunning {
		t.Errorf("the live run was marked %s", stored.Status)
	}
	if _, err := send(t, other, session.ID, "hello again"); chat.CodeOf(err) != chat.CodeRunInProgress {
		t.Errorf("a second run: %v, want RUN_IN_PROGRESS", err)
	}
	close(model.release)
	waitUntilEnded(t, run)
	if stored, _ := p.Run(t, run.ID); stored.Status != chat.RunCompleted {
		t.Errorf("the run ended as %s, %s", stored.Status, stored.FailureReason)
	}
}

// A run of a replica that died is found when its lease is over, however wrong
// the clock of that replica was.
func TestOrphanOfASkewedClock(t *testing.T) {
	t.Parallel()
	const lease = 200 * time.Millisecond
	for name, skew := range skews() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := databasetest.PostgreSQL(t)
			session := createSession(t, open(t, c), "alice")
			model := newHeldModel()
			dead := newReplica(t, c, model, lease, skew) // Not started, so that it renews no lease.
			run, err := send(t, dead, session.ID, "hello")
			if err != nil {
				t.Fatal(err)
			}
			if err := newReplica(t, c, model, lease, 0).Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			stored := waitForStatus(t, probe{databasetest.OpenSQL(t, c)}, run.ID, chat.RunFailed)
			if stored.FailureCode != chat.FailureServerStopped || stored.EndedAt.Before(stored.StartedAt) {
				t.Errorf("the orphan is %+v", stored)
			}
		})
	}
}

// A run whose session another replica deletes is cancelled with the next renewal
// of the leases, and its replica logs no fault.
func TestDeletionOnAnotherReplica(t *testing.T) {
	t.Parallel()
	c := databasetest.PostgreSQL(t)
	session := createSession(t, open(t, c), "alice")
	model := newHeldModel()
	owner, other := newReplica(t, c, model, time.Second, 0), newReplica(t, c, model, time.Second, 0)
	var log syncBuffer
	owner.Logger = slog.New(slog.NewTextHandler(&log, nil))
	if err := owner.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	run, err := send(t, owner, session.ID, "hello")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.DeleteSession(t.Context(), "alice", session.ID); err != nil {
		t.Fatal(err)
	}
	select {
	case <-model.cancelled:
	case <-time.After(20 * time.Second):
		t.Fatal("the model is still asked")
	}
	if failure := waitUntilEnded(t, run); failure == nil || failure.Message != "The session was deleted." {
		t.Errorf("the run failed with %+v", failure)
	}
	if text := log.String(); strings.Contains(text, "WARN") || strings.Contains(text, "ERROR") ||
		!strings.Contains(text, "status=cancelled") {
		t.Errorf("the log is %s", text)
	}
	if n := (probe{databasetest.OpenSQL(t, c)}).Rows(t, "runs"); n != 0 {
		t.Errorf("%d runs are stored", n)
	}
}

// A run that was marked as failed though its owner lives ends: its thread may
// have another run. The part of the answer is kept.
func TestRunTakenForDead(t *testing.T) {
	t.Parallel()
	c := databasetest.PostgreSQL(t)
	session, db := createSession(t, open(t, c), "alice"), databasetest.OpenSQL(t, c)
	model := newHeldModel()
	owner, other := newReplica(t, c, model, time.Second, 0), newReplica(t, c, model, time.Second, 0)
	run, err := send(t, owner, session.ID, "hello")
	if err != nil {
		t.Fatal(err)
	}
	databasetest.Execute(t, db, "UPDATE runs SET lease_until = 0")
	next, err := send(t, other, session.ID, "hello again")
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(t.Context()); err != nil { // It begins to renew leases.
		t.Fatal(err)
	}
	if failure := waitUntilEnded(t, run); failure == nil || !failure.AllowRetry {
		t.Errorf("the run failed with %+v", failure)
	}
	stored, _ := (probe{db}).Run(t, run.ID)
	if stored.Status != chat.RunFailed || stored.FailureCode != chat.FailureServerStopped {
		t.Errorf("the run is %+v", stored)
	}
	if stored, _ := (probe{db}).Run(t, next.ID); stored.Status != chat.RunRunning {
		t.Errorf("the other run is %+v", stored)
	}
	if n := (probe{db}).Rows(t, "items"); n != 3 {
		t.Errorf("%d items are stored, want the messages and the part of the answer", n)
	}
}

// syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}
