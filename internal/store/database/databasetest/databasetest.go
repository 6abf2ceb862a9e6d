// Package databasetest has what tests of the databases share: empty databases of
// both kinds, opened with and without the package database.
package databasetest

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	"go.uber.org/goleak"

	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
	"github.com/chatkit-rest/chatkit-rest/tests/postgres"
)

// server is the PostgreSQL of this process, which Main starts.
var server *postgres.Server

// Main runs the tests of a package beside a PostgreSQL, and fails if they leave
// goroutines behind. It returns the exit code.
func Main(m *testing.M) int {
	return postgres.Main(leakChecked{m}, func(s *postgres.Server) { server = s })
}

// leakChecked fails when the tests leave goroutines behind.
type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	before := goleak.IgnoreCurrent()
	code := l.m.Run()
	if err := goleak.Find(before); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// Kind is a kind of database. Config makes an empty one.
type Kind struct {
	Name   string
	Config func(tb testing.TB) database.Config
}

// Kinds returns SQLite and PostgreSQL.
func Kinds() []Kind { return []Kind{{"SQLite", SQLite}, {"PostgreSQL", PostgreSQL}} }

// SQLite returns the options of a file that does not exist.
func SQLite(tb testing.TB) database.Config {
	tb.Helper()
	return database.Config{Driver: database.SQLite, Path: filepath.Join(tb.TempDir(), "chatkit.db")}
}

// PostgreSQL makes an empty database.
func PostgreSQL(tb testing.TB) database.Config {
	tb.Helper()
	url, err := server.NewDatabase(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return database.Config{Driver: database.PostgreSQL, DSN: url}
}

// AdminURL returns the URL of PostgreSQL's own database for a superuser.
func AdminURL() string { return server.AdminURL() }

// Open opens a database and closes it when the test ends.
func Open(tb testing.TB, c database.Config) *database.DB {
	tb.Helper()
	db, err := database.Open(tb.Context(), c)
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return db
}

// OpenMigrated is Open, and applies the migrations.
func OpenMigrated(tb testing.TB, c database.Config) *database.DB {
	tb.Helper()
	db := Open(tb, c)
	if err := db.Migrate(tb.Context()); err != nil {
		tb.Fatalf("migrate: %v", err)
	}
	return db
}

// OpenSQL opens a database without the package database.
func OpenSQL(tb testing.TB, c database.Config) *sql.DB {
	tb.Helper()
	name, dsn := "pgx", c.DSN
	if c.Driver == database.SQLite {
		name, dsn = "sqlite", "file:"+c.Path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(name, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// Execute executes a statement.
func Execute(tb testing.TB, db *sql.DB, statement string) {
	tb.Helper()
	if _, err := db.ExecContext(tb.Context(), statement); err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}

// Secret is a value that no error and no log line may contain.
const Secret = "s3cr3t-value"

// WantDiscreet checks that an error contains neither Secret nor one of the words.
func WantDiscreet(tb testing.TB, err error, words ...string) {
	tb.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, word := range append(words, Secret) {
			if strings.Contains(fmt.Sprintf("%+v", e), word) {
				tb.Errorf("error %q contains %q", e, word)
			}
		}
	}
}
