package streams_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// runRow is a run as the database has it.
type runRow struct {
	Status        string
	Model         string
	UpstreamID    string
	FirstTokenAt  sql.NullInt64
	EndedAt       sql.NullInt64
	InputTokens   int64
	OutputTokens  int64
	Cost          sql.NullFloat64
	FailureCode   string
	FailureReason string
	LeaseUntil    int64
}

// stand is a server with access to its database.
type stand struct {
	*harness.Server

	db *sql.DB
	// mark is the placeholder of the only argument of a query.
	mark string
}

// query returns a query of one argument in the database's syntax.
func (s *stand) query(text string) string { return strings.Replace(text, "?", s.mark, 1) }

// newStand starts a server and opens its database beside it.
func newStand(t *testing.T, options harness.Options) *stand {
	t.Helper()
	s := &stand{Server: harness.Start(t, options)}
	s.lookInto(t, s.DatabaseURL)
	return s
}

// lookInto opens the database at the URL.
func (s *stand) lookInto(t *testing.T, databaseURL string) {
	t.Helper()
	driver, source := "pgx", databaseURL
	s.mark = "$1"
	if path, ok := strings.CutPrefix(databaseURL, "sqlite:///"); ok {
		driver, s.mark = "sqlite", "?"
		source = "file:" + path + "?_pragma=busy_timeout(5000)&_pragma=query_only(1)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatalf("open the server's database: %v", err)
	}
	s.db = db
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the server's database: %v", err)
		}
	})
}

// run reads the row of a run; false if there is none.
func (s *stand) run(t *testing.T, id string) (runRow, bool) {
	t.Helper()
	rows := s.rows(t, id)
	if len(rows) == 0 {
		return runRow{}, false
	}
	return rows[0], true
}

// runsOf returns the runs of a session, the oldest first.
func (s *stand) runsOf(t *testing.T, session uuid.UUID) []runRow {
	t.Helper()
	return s.rows(t, session.String())
}

// rows returns the run with the id, or the runs of the session with it.
func (s *stand) rows(t *testing.T, id string) []runRow {
	t.Helper()
	found, err := s.db.QueryContext(t.Context(), s.query(`SELECT status, model, upstream_id, first_token_at, ended_at,
		input_tokens, output_tokens, cost, failure_code, failure_reason, lease_until
		FROM runs WHERE ? IN (id, session_id) ORDER BY started_at`), id)
	if err != nil {
		t.Fatalf("read runs: %v", err)
	}
	defer found.Close() //nolint:errcheck // it is read to its end
	var rows []runRow
	for found.Next() {
		var row runRow
		if err := found.Scan(&row.Status, &row.Model, &row.UpstreamID, &row.FirstTokenAt, &row.EndedAt,
			&row.InputTokens, &row.OutputTokens, &row.Cost, &row.FailureCode, &row.FailureReason, &row.LeaseUntil); err != nil {
			t.Fatalf("read a run: %v", err)
		}
		rows = append(rows, row)
	}
	if err := found.Err(); err != nil {
		t.Fatalf("read runs: %v", err)
	}
	return rows
}

// ended waits until the run has ended, and returns its row.
func (s *stand) ended(t *testing.T, id string, within time.Duration) runRow {
	t.Helper()
	var row runRow
	harness.Eventually(t, within, "run "+id+" has ended", func() bool {
		row, _ = s.run(t, id)
		return row.Status != "" && row.Status != "running"
	})
	if !row.EndedAt.Valid {
		t.Errorf("run %s is %s without a time at which it ended", id, row.Status)
	}
	return row
}
