package store_test

import (
	"database/sql"
	"io"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database/databasetest"
	"github.com/chatkit-rest/chatkit-rest/internal/store/storetest"
)

const secret = databasetest.Secret

// open opens a store with its tables. Its database is closed when the test ends.
func open(tb testing.TB, c database.Config) *store.Store {
	tb.Helper()
	return store.New(databasetest.OpenMigrated(tb, c))
}

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, storetest.Harness{OneProcess: true, Open: harness(databasetest.SQLite)})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, storetest.Harness{Open: harness(databasetest.PostgreSQL)})
	})
}

func harness(config func(tb testing.TB) database.Config) func(t *testing.T) (storetest.Store, storetest.Probe) {
	return func(t *testing.T) (storetest.Store, storetest.Probe) {
		t.Helper()
		c := config(t)
		db := databasetest.OpenMigrated(t, c)
		return closableStore{store.New(db), db}, probe{databasetest.OpenSQL(t, c)}
	}
}

// closableStore is a store with its database.
type closableStore struct {
	*store.Store
	io.Closer
}

// probe is a storetest.Probe that reads the tables.
type probe struct{ db *sql.DB }

func (p probe) Rows(t *testing.T, table string) int {
	t.Helper()
	var n int
	if err := p.db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func (p probe) Run(t *testing.T, id uuid.UUID) (chat.Run, bool) {
	t.Helper()
	query := `SELECT id, session_id, status, model, upstream_id, started_at, first_token_at, ended_at,
		input_tokens, output_tokens, cached_tokens, reasoning_tokens, cost, failure_code, failure_reason, owner, finish_reason
		FROM runs WHERE id = '` + id.String() + `'`
	var run chat.Run
	var startedAt int64
	var firstTokenAt, endedAt sql.NullInt64
	u := &run.Usage
	err := p.db.QueryRowContext(t.Context(), query).Scan(&run.ID, &run.SessionID, &run.Status, &run.Model, &run.UpstreamID,
		&startedAt, &firstTokenAt, &endedAt, &u.InputTokens, &u.OutputTokens, &u.CachedTokens, &u.ReasoningTokens, &u.Cost,
		&run.FailureCode, &run.FailureReason, &run.Owner, &run.FinishReason)
	if err == sql.ErrNoRows {
		return run, false
	}
	if err != nil {
		t.Fatal(err)
	}
	run.StartedAt = time.UnixMicro(startedAt).UTC()
	run.FirstTokenAt, run.EndedAt = orZero(firstTokenAt), orZero(endedAt)
	return run, true
}

func (p probe) LeaseLeft(t *testing.T, id uuid.UUID) time.Duration {
	t.Helper()
	var until int64
	query := "SELECT lease_until FROM runs WHERE id = '" + id.String() + "'"
	if err := p.db.QueryRowContext(t.Context(), query).Scan(&until); err != nil {
		t.Fatal(err)
	}
	return time.Until(time.UnixMicro(until)) // The tests' databases have this machine's clock.
}

func orZero(micros sql.NullInt64) time.Time {
	if !micros.Valid {
		return time.Time{}
	}
	return time.UnixMicro(micros.Int64).UTC()
}

// TestReopen: what was written is there when the database is opened again.
func TestReopen(t *testing.T) {
	t.Parallel()
	for _, d := range databasetest.Kinds() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			c := d.Config(t)
			db := databasetest.OpenMigrated(t, c)
			at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
			session := chat.Session{ID: uuid.New(), UserID: "alice", Title: "Kept", CreatedAt: at, UpdatedAt: at}
			if err := store.New(db).CreateSession(t.Context(), session, 1); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := store.New(databasetest.Open(t, c)).Session(t.Context(), "alice", session.ID)
			if err != nil || got != session {
				t.Errorf("got %+v, error %v; want %+v", got, err, session)
			}
		})
	}
}
