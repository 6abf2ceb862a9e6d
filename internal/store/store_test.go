package store_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
	"github.com/chatkit-rest/chatkit-rest/internal/store/storetest"
)

func sqliteConfig(tb testing.TB) store.Config {
	tb.Helper()
	return store.Config{Driver: store.SQLite, Path: filepath.Join(tb.TempDir(), "chatkit.db")}
}

func postgresConfig(tb testing.TB) store.Config {
	tb.Helper()
	url, err := server.NewDatabase(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return store.Config{Driver: store.PostgreSQL, DSN: url}
}

// database is a kind of database; config makes an empty one.
type database struct {
	name   string
	config func(tb testing.TB) store.Config
}

func databases() []database {
	return []database{{"SQLite", sqliteConfig}, {"PostgreSQL", postgresConfig}}
}

// open opens a store with its tables and closes it when the test ends.
func open(tb testing.TB, c store.Config) *store.Store {
	tb.Helper()
	s := openBare(tb, c)
	if err := s.Migrate(tb.Context()); err != nil {
		tb.Fatalf("migrate: %v", err)
	}
	return s
}

func openBare(tb testing.TB, c store.Config) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), c)
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return s
}

// openDatabase opens a store's database without the store.
func openDatabase(tb testing.TB, c store.Config) *sql.DB {
	tb.Helper()
	name, dsn := "pgx", c.DSN
	if c.Driver == store.SQLite {
		name, dsn = "sqlite", "file:"+c.Path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(name, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

func execute(tb testing.TB, db *sql.DB, statement string) {
	tb.Helper()
	if _, err := db.ExecContext(tb.Context(), statement); err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, storetest.Harness{OneProcess: true, Open: harness(sqliteConfig)})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, storetest.Harness{Open: harness(postgresConfig)})
	})
}

func harness(config func(tb testing.TB) store.Config) func(t *testing.T) (storetest.Store, storetest.Probe) {
	return func(t *testing.T) (storetest.Store, storetest.Probe) {
		t.Helper()
		c := config(t)
		return open(t, c), probe{openDatabase(t, c)}
	}
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
