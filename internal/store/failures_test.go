package store_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database/databasetest"
	"github.com/chatkit-rest/chatkit-rest/tests/postgres"
)

func createSession(t *testing.T, s *store.Store, user string) chat.Session {
	t.Helper()
	at := time.Now().UTC().Truncate(time.Microsecond)
	session := chat.Session{ID: uuid.New(), UserID: user, CreatedAt: at, UpdatedAt: at}
	if err := s.CreateSession(t.Context(), session, 100); err != nil {
		t.Fatal(err)
	}
	return session
}

func startRun(t *testing.T, s *store.Store, session chat.Session) chat.NewRun {
	t.Helper()
	run := chat.Run{
		ID: uuid.New(), SessionID: session.ID, Status: chat.RunRunning, StartedAt: session.CreatedAt,
	}
	start := chat.NewRun{UserID: session.UserID, Run: run, Message: chat.Item{
		ID: uuid.New(), SessionID: session.ID, RunID: run.ID, Type: chat.ItemUserMessage, CreatedAt: session.CreatedAt,
		Content: []chat.Content{{Type: chat.ContentInputText, Text: secret}},
	}}
	if _, err := s.StartRun(t.Context(), start, 10); err != nil {
		t.Fatal(err)
	}
	return start
}

// Damaged JSON in the database is an error that does not quote it, and no panic.
func TestCorruptJSON(t *testing.T) {
	t.Parallel()
	for _, d := range databasetest.Kinds() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			c := d.Config(t)
			s, db := open(t, c), databasetest.OpenSQL(t, c)
			session := createSession(t, s, "alice")
			start := startRun(t, s, session)
			stored := []string{`{"` + secret + `": 1}`, `"` + secret + `"`, `[1]`, `[{"id": 1, "type": {"` + secret + `": 1}}]`, `1e999`}
			if c.Driver == database.SQLite {
				stored = append(stored, "", "{", secret, `[{"type":"input_text","text":"`+secret)
			}
			for _, column := range []string{"content", "tool_calls"} {
				for _, json := range stored {
					databasetest.Execute(t, db, "UPDATE items SET content = '[]', tool_calls = NULL")
					databasetest.Execute(t, db, fmt.Sprintf("UPDATE items SET %s = '%s'", column, json))
					_, _, err := s.SessionWithItems(t.Context(), "alice", session.ID)
					if err == nil || chat.CodeOf(err) != "" || !strings.Contains(err.Error(), column) {
						t.Errorf("%s %q: error %v, want an internal one that names the column", column, json, err)
					}
					databasetest.WantDiscreet(t, err)
				}
			}
			databasetest.Execute(t, db, "UPDATE runs SET status = 'failed'")
			next := start
			next.Run.ID, next.Message.ID = uuid.New(), uuid.New()
			if _, err := s.StartRun(t.Context(), next, 10); err == nil || chat.CodeOf(err) != "" {
				t.Errorf("a run on a damaged history: %v", err)
			}
			if n := (probe{db}).Rows(t, "runs WHERE status = 'running'"); n != 0 {
				t.Errorf("%d runs stand as running", n)
			}
			databasetest.Execute(t, db, "DELETE FROM items WHERE position > 1")
			databasetest.Execute(t, db, "UPDATE items SET content = '[]', tool_calls = 'null'")
			_, items, err := s.SessionWithItems(t.Context(), "alice", session.ID)
			if err != nil || len(items) != 1 || len(items[0].Content) != 0 || len(items[0].ToolCalls) != 0 {
				t.Errorf("an item without content: %+v, %v", items, err)
			}
		})
	}
}

// Errors and log lines contain no stored values, though the database's own do.
func TestNoValuesInErrorsAndLog(t *testing.T) {
	t.Parallel()
	for _, d := range databasetest.Kinds() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			c := d.Config(t)
			var log bytes.Buffer
			c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			s, db := open(t, c), databasetest.OpenSQL(t, c)
			session := createSession(t, s, secret)
			start := startRun(t, s, session)
			again := start
			again.Run.Status = chat.RunFailed
			_, err := s.StartRun(t.Context(), again, 10) // The run's id is taken.
			if err == nil || chat.CodeOf(err) != "" {
				t.Fatalf("a run with a taken id: %v, want an internal error", err)
			}
			databasetest.WantDiscreet(t, err, session.ID.String(), start.Run.ID.String())
			start.Run.Status = secret
			_, err = s.FinishRun(t.Context(), start.Run, nil) // No such status.
			if err == nil {
				t.Fatal("a run with an unknown status was stored")
			}
			databasetest.WantDiscreet(t, err, session.ID.String())
			databasetest.Execute(t, db, "UPDATE sessions SET created_at = 9223372036854775807, message_count = 0")
			databasetest.Execute(t, db, "DROP TABLE feedback")
			databasetest.Execute(t, db, "DROP TABLE items")
			_, _, err = s.SessionWithItems(t.Context(), secret, session.ID)
			if err == nil {
				t.Fatal("items were read without their table")
			}
			databasetest.WantDiscreet(t, err, session.ID.String(), "SELECT")
			if text := log.String(); strings.Contains(text, secret) || strings.Contains(text, "SELECT") {
				t.Errorf("the log holds values or SQL: %s", text)
			}
			if !strings.Contains(log.String(), "00001_sessions.sql") {
				t.Errorf("the log does not name the migration: %s", log.String())
			}
		})
	}
}

// gorm's own log, which contains values, would be written to the standard output
// and not to the logger of TestNoValuesInErrorsAndLog.
func TestNoValuesInOutput(t *testing.T) {
	t.Parallel()
	program := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNoValuesInErrorsAndLog$", "-test.v") //nolint:gosec // this very binary
	output, err := program.CombinedOutput()
	if err != nil || !bytes.Contains(output, []byte("--- PASS: TestNoValuesInErrorsAndLog/PostgreSQL")) {
		t.Fatalf("the test did not run: %v: %s", err, output)
	}
	for _, word := range []string{secret, "SELECT", "INSERT", "UPDATE"} {
		if bytes.Contains(output, []byte(word)) {
			t.Errorf("the output holds %q: %s", word, output)
		}
	}
}

// Every operation on a stopped PostgreSQL returns SERVICE_UNAVAILABLE.
func TestPostgreSQLStopped(t *testing.T) {
	t.Parallel()
	own, err := postgres.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dsn, err := own.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, database.Config{Driver: database.PostgreSQL, DSN: dsn, MaxConns: 3})
	session := createSession(t, s, "alice")
	if err := own.Stop(); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		_, err := s.Session(t.Context(), "alice", session.ID)
		if chat.CodeOf(err) != chat.CodeServiceUnavailable {
			t.Errorf("a server that is gone: %v", err)
		}
		password, _ := u.User.Password()
		databasetest.WantDiscreet(t, err, u.Host, password, strings.TrimPrefix(u.Path, "/"))
	}
}

// Connections that the server ends are replaced; at most one operation returns
// SERVICE_UNAVAILABLE.
func TestPostgreSQLEndsConnections(t *testing.T) {
	t.Parallel()
	c := databasetest.PostgreSQL(t)
	s, db := open(t, c), databasetest.OpenSQL(t, c)
	session := createSession(t, s, "alice")
	for range 5 {
		databasetest.Execute(t, db, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'chatkit-rest'`)
		if _, err := s.Session(t.Context(), "alice", session.ID); err != nil && chat.CodeOf(err) != chat.CodeServiceUnavailable {
			t.Errorf("after its connections were ended: %v", err)
		}
		if _, err := s.Session(t.Context(), "alice", session.ID); err != nil {
			t.Errorf("the next query: %v", err)
		}
	}
}

func TestPostgreSQLRefusesMore(t *testing.T) {
	t.Parallel()
	c := databasetest.PostgreSQL(t)
	s, db := open(t, c), databasetest.OpenSQL(t, c)
	session := createSession(t, s, "alice")
	role := "few_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	databasetest.Execute(t, db, "CREATE ROLE "+role+" LOGIN PASSWORD '"+secret+"' CONNECTION LIMIT 0")
	t.Cleanup(func() { _, _ = db.ExecContext(context.Background(), "DROP ROLE "+role) })
	u, err := url.Parse(c.DSN)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, secret)
	_, err = database.Open(t.Context(), database.Config{Driver: database.PostgreSQL, DSN: u.String()})
	if chat.CodeOf(err) != chat.CodeServiceUnavailable || !strings.Contains(err.Error(), "53300") {
		t.Errorf("too many connections: %v", err)
	}
	databasetest.WantDiscreet(t, err, role)
	databasetest.Execute(t, db, "ALTER DATABASE "+`"`+strings.TrimPrefix(u.Path, "/")+`"`+" SET default_transaction_read_only = on")
	readOnly := store.New(databasetest.Open(t, c))
	if _, err := readOnly.Session(t.Context(), "alice", session.ID); err != nil {
		t.Errorf("a read where writing is off: %v", err)
	}
	err = readOnly.DeleteSession(t.Context(), "alice", session.ID)
	if chat.CodeOf(err) != chat.CodeServiceUnavailable {
		t.Errorf("a write where writing is off: %v", err)
	}
}

// A caller waits for a free connection until its deadline, and no longer.
func TestNoConnectionFree(t *testing.T) {
	t.Parallel()
	c := databasetest.PostgreSQL(t)
	c.MaxConns = 1
	s, db := open(t, c), databasetest.OpenSQL(t, c)
	session := createSession(t, s, "alice")
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // the end of the test
	if _, err := tx.ExecContext(t.Context(), "LOCK TABLE sessions"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	errs := make(chan error)
	for range 3 {
		go func() {
			_, err := s.Session(ctx, "alice", session.ID)
			errs <- err
		}()
	}
	for range 3 {
		if err := <-errs; chat.CodeOf(err) != chat.CodeServiceUnavailable {
			t.Errorf("a deadline: %v", err)
		}
	}
}

// Writes to a SQLite file that another program keeps locked return
// SERVICE_UNAVAILABLE after the busy time-out. Reads succeed meanwhile.
func TestSQLiteLocked(t *testing.T) {
	t.Parallel()
	c := databasetest.SQLite(t)
	s, db := open(t, c), databasetest.OpenSQL(t, c)
	session := createSession(t, s, "alice")
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the end of the test
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Session(t.Context(), "alice", session.ID); err != nil {
		t.Errorf("a read while the file is locked: %v", err)
	}
	err = s.DeleteSession(t.Context(), "alice", session.ID)
	if chat.CodeOf(err) != chat.CodeServiceUnavailable || !strings.Contains(err.Error(), "locked") {
		t.Errorf("a write while the file is locked: %v", err)
	}
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteSession(t.Context(), "alice", session.ID); err != nil {
		t.Errorf("a write after the lock: %v", err)
	}
}

// Before the migrations a store's errors say that they are pending.
func TestNoTables(t *testing.T) {
	t.Parallel()
	for _, d := range databasetest.Kinds() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			c := d.Config(t)
			s := store.New(databasetest.Open(t, c))
			_, err := s.ListSessions(t.Context(), "alice", chat.SessionQuery{Limit: 1})
			if err == nil || !strings.Contains(err.Error(), "migrations are pending") {
				t.Errorf("error %v does not speak of migrations", err)
			}
		})
	}
}

// A passing error is SERVICE_UNAVAILABLE with advice to try again; a permanent
// one has no code.
func TestErrorsOfOperations(t *testing.T) {
	t.Parallel()
	for _, d := range databasetest.Kinds() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			s := open(t, d.Config(t))
			session := createSession(t, s, "alice")
			start := startRun(t, s, session)
			start.Run.Status = "no such status"
			if _, err := s.FinishRun(t.Context(), start.Run, nil); err == nil || chat.CodeOf(err) != "" {
				t.Errorf("a violated constraint: %v", err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 0)
			defer cancel()
			_, err := s.FinishRun(ctx, start.Run, nil)
			if chat.CodeOf(err) != chat.CodeServiceUnavailable {
				t.Errorf("a deadline: %v", err)
			}
		})
	}
}
