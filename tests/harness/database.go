package harness

import (
	"path/filepath"
	"testing"
)

// Database is a database engine.
type Database string

// The databases that the server runs on.
const (
	SQLite   Database = "SQLite"
	Postgres Database = "PostgreSQL"
)

// OnEach runs a test as a subtest for each engine.
func OnEach(t *testing.T, test func(t *testing.T, database Database)) {
	t.Helper()
	for _, database := range []Database{SQLite, Postgres} {
		t.Run(string(database), func(t *testing.T) {
			t.Parallel()
			test(t, database)
		})
	}
}

// NewDatabase creates an empty database and returns its DATABASE_URL.
func NewDatabase(tb testing.TB, engine Database) string {
	tb.Helper()
	if engine == Postgres {
		return newPostgresDatabase(tb)
	}
	return "sqlite:///" + filepath.Join(tb.TempDir(), "test.db") // the fourth slash makes the path absolute
}
