package database_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database/databasetest"
)

const secret = databasetest.Secret

// wantClass checks whether an error of a database is passing, and that its
// description names the code and nothing of the database's own text.
func wantClass(t *testing.T, name string, err error, passing bool, code string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", name)
		return
	}
	cause, got := database.Classify(err)
	if got != passing {
		t.Errorf("%s: passing is %t, want %t: %v", name, got, passing, err)
	}
	if !strings.Contains(cause.Error(), code) {
		t.Errorf("%s: the description %q does not name %s", name, cause, code)
	}
	databasetest.WantDiscreet(t, cause)
}

func TestPostgreSQLErrors(t *testing.T) {
	t.Parallel()
	c := databasetest.PostgreSQL(t)
	databasetest.OpenMigrated(t, c)
	db := databasetest.OpenSQL(t, c)
	codes := map[bool][]string{
		true: {
			"08000", "08003", "08006", // connection failures
			"25006",          // read-only
			"25P03",          // an idle transaction was ended
			"40001", "40P01", // serialization failure, deadlock
			"53000", "53100", "53200", "53300", // resources: disk full, memory, connections
			"55P03",                            // a lock was not available
			"57014",                            // statement_timeout
			"57P01", "57P02", "57P03", "57P05", // shutdown, crash, start, idle session
			"58000", "58030", // failures of the operating system
		},
		false: {
			"0A000", "21000",
			"22001", "22003", "22021", "22P02", "22P05", // wrong data
			"23502", "23503", "23505", "23514", // violated constraints
			"28000", "28P01", "3D000", // wrong user, password or database
			"40002",
			"42501", "42601", "42703", "42804", "42P01", // wrong statements or rights
			"54000", "54001", // too large, too complex
			"XX000", "XX001", // faults and damage
		},
	}
	for passing, codes := range codes {
		for _, code := range codes {
			raise := fmt.Sprintf("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '%s', MESSAGE = '%s'; END $$", code, secret)
			_, err := db.ExecContext(t.Context(), raise)
			wantClass(t, code, err, passing, "SQLSTATE "+code)
		}
	}
	// What PostgreSQL itself reports.
	for code, statement := range map[string]string{
		"23505": "INSERT INTO users VALUES ('" + secret + "', 0), ('" + secret + "', 0)",
		"23514": "INSERT INTO users VALUES ('" + secret + "', -1)",
		"22P02": "SELECT CAST('" + secret + "' AS uuid)",
		"22003": "SELECT CAST(9999999999 AS integer)",
		"42601": "SELECT , " + secret,
	} {
		_, err := db.ExecContext(t.Context(), statement)
		wantClass(t, statement, err, false, "SQLSTATE "+code)
	}
	for code, statement := range map[string]string{
		"57014": "SET statement_timeout = 10; SELECT pg_sleep(10)",
		"25006": "SET default_transaction_read_only = on; CREATE TABLE a (b integer)",
		"57P01": "SELECT pg_terminate_backend(pg_backend_pid())",
	} {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for one := range strings.SplitSeq(statement, "; ") {
			_, err = conn.ExecContext(t.Context(), one)
		}
		wantClass(t, statement, err, true, "SQLSTATE "+code)
		_, _ = conn.ExecContext(t.Context(), "RESET ALL")
		_ = conn.Close() // It may be broken.
	}
}

func TestSQLiteErrors(t *testing.T) {
	t.Parallel()
	c := databasetest.SQLite(t)
	databasetest.OpenMigrated(t, c)
	db := databasetest.OpenSQL(t, c)
	db.SetMaxOpenConns(1) // Its settings hold for the statements after them.
	for _, test := range []struct {
		statements string
		passing    bool
		code       int
	}{
		{"INSERT INTO users VALUES ('" + secret + "', 0), ('" + secret + "', 0)", false, 1555},
		{"INSERT INTO users VALUES ('" + secret + "', -1)", false, 275},
		{"INSERT INTO users VALUES ('a', '" + secret + "')", false, 3091},
		{"SELECT , " + secret, false, 1},
		{"SELECT id FROM " + secret, false, 1},
		{"SELECT length(zeroblob(2000000000))", false, 18},
		{"PRAGMA query_only = 1; DELETE FROM users; PRAGMA query_only = 0", true, 8},
		{"PRAGMA max_page_count = 1; CREATE TABLE a AS SELECT zeroblob(1000000); PRAGMA max_page_count = 100000", true, 13},
	} {
		var failure error
		for one := range strings.SplitSeq(test.statements, "; ") {
			if _, err := db.ExecContext(t.Context(), one); err != nil {
				failure = err
			}
		}
		wantClass(t, test.statements, failure, test.passing, fmt.Sprintf("SQLite result %d)", test.code))
	}
	wantClass(t, "locked", lockedError(t, c, db), true, "SQLite result 5)")
	folder := t.TempDir()
	wantClass(t, "missing folder", openError(t, filepath.Join(folder, "none", "a.db")), true, "SQLite result 14)")
	garbage := filepath.Join(folder, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	wantClass(t, "garbage", openError(t, garbage), false, "SQLite result 26)")
}

// lockedError writes while another connection holds the lock.
func lockedError(t *testing.T, c database.Config, db *sql.DB) error {
	t.Helper()
	other := databasetest.OpenSQL(t, c)
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // the end of the test
	if _, err := tx.ExecContext(t.Context(), "DELETE FROM users"); err != nil {
		t.Fatal(err)
	}
	databasetest.Execute(t, db, "PRAGMA busy_timeout = 0")
	_, err = db.ExecContext(t.Context(), "DELETE FROM users")
	return err
}

// openError reads a file as a SQLite database.
func openError(t *testing.T, path string) error {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // nothing was written
	_, err = db.ExecContext(t.Context(), "SELECT name FROM sqlite_schema")
	return err
}
