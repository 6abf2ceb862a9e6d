package harness

import (
	"path/filepath"
	"testing"
)

// Database is a kind of database.
type Database string

// The databases that the server runs on.
const (
	SQLite   Database = "SQLite"
	Postgres Database = "PostgreSQL"
)

// OnEach runs a test once for each kind of database, as a subtest.
func OnEach(t *testing.T, test func(t *testing.T, database Database)) {
	t.Helper()
	for _, database := range []Database{SQLite, Postgres} {
		t.Run(string(database), func(t *testing.T) {
			t.Parallel()
			test(t, database)
		})
	}
}

// NewDatabase makes an empty database of the kind and returns its URL, as
// DATABASE_URL takes it.
func NewDatabase(tb testing.TB, kind Database) string {
	tb.Helper()
	if kind == Postgres {
		return newPostgresDatabase(tb)
	}
	return "sqlite:///" + filepath.Join(tb.TempDir(), "test.db") // a fourth slash: an absolute path
}
