package database_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database/databasetest"
)

func pending(t *testing.T, db *database.DB) bool {
	t.Helper()
	is, err := db.MigrationsPending(t.Context())
	if err != nil {
		t.Fatalf("migrations pending: %v", err)
	}
	return is
}

func tables(t *testing.T, c database.Config) []string {
	t.Helper()
	query := "SELECT COALESCE(group_concat(name, ' ' ORDER BY name), '') FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	if c.Driver == database.PostgreSQL {
		query = "SELECT COALESCE(string_agg(tablename, ' ' ORDER BY tablename), '') FROM pg_tables WHERE schemaname = 'public'"
	}
	var names string
	if err := databasetest.OpenSQL(t, c).QueryRowContext(t.Context(), query).Scan(&names); err != nil {
		t.Fatal(err)
	}
	return strings.Fields(names)
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	for _, d := range databasetest.Kinds() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			c := d.Config(t)
			db := databasetest.Open(t, c)
			if !pending(t, db) {
				t.Error("no migrations are pending in an empty database")
			}
			if _, err := db.MigrationStatus(t.Context()); err != nil {
				t.Errorf("migration status: %v", err)
			}
			if got := tables(t, c); len(got) > 0 {
				t.Errorf("asking made tables: %v", got)
			}
			if err := db.Migrate(t.Context()); err != nil {
				t.Fatalf("migrate: %v", err)
			}
			if pending(t, db) {
				t.Error("migrations are pending after Migrate")
			}
			want := []string{"attachments", "feedback", "goose_db_version", "items", "runs", "secrets", "sessions", "users"}
			if got := tables(t, c); !slices.Equal(got, want) {
				t.Errorf("tables %v, want %v", got, want)
			}
			if err := db.Migrate(t.Context()); err != nil {
				t.Errorf("migrate again: %v", err)
			}
		})
	}
}

func wantApplied(t *testing.T, db *database.DB, want bool) {
	t.Helper()
	migrations, err := db.MigrationStatus(t.Context())
	if err != nil {
		t.Fatalf("status: %v", err)
	}
	if len(migrations) == 0 {
		t.Fatal("there are no migrations")
	}
	for n, m := range migrations {
		if m.Version != int64(n+1) || !strings.HasSuffix(m.Name, ".sql") || m.AppliedAt.IsZero() == want {
			t.Errorf("migration %+v, want applied %t", m, want)
		}
	}
}

func TestMigrationStatusAndDown(t *testing.T) {
	t.Parallel()
	for _, d := range databasetest.Kinds() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			c := d.Config(t)
			db := databasetest.Open(t, c)
			wantApplied(t, db, false)
			if err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantApplied(t, db, true)
			for pendingNow := false; !pendingNow; pendingNow = slices.Equal(tables(t, c), []string{"goose_db_version"}) {
				if err := db.MigrateDown(t.Context()); err != nil {
					t.Fatalf("migrate down: %v", err)
				}
				if !pending(t, db) {
					t.Fatal("no migration is pending after one was undone")
				}
			}
			wantApplied(t, db, false)
			if err := db.MigrateDown(t.Context()); err != nil {
				t.Errorf("migrate down with nothing applied: %v", err)
			}
			if err := db.Migrate(t.Context()); err != nil {
				t.Errorf("migrate after down: %v", err)
			}
			wantApplied(t, db, true)
		})
	}
}

// Several processes may start at once on one empty database.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	for _, d := range databasetest.Kinds() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			c := d.Config(t)
			const processes = 8
			errs := make([]error, processes)
			var wg sync.WaitGroup
			begin := make(chan struct{})
			for n := range processes {
				wg.Go(func() {
					<-begin
					errs[n] = openAndMigrate(t.Context(), c)
				})
			}
			close(begin)
			wg.Wait()
			for n, err := range errs {
				if err != nil {
					t.Errorf("process %d: %v", n, err)
				}
			}
			if pending(t, databasetest.Open(t, c)) {
				t.Error("migrations are pending")
			}
			var applied int
			if err := databasetest.OpenSQL(t, c).QueryRowContext(t.Context(),
				"SELECT count(*) FROM goose_db_version WHERE version_id = 1").Scan(&applied); err != nil {
				t.Fatal(err)
			}
			if applied != 1 {
				t.Errorf("migration 1 is noted %d times, want once", applied)
			}
		})
	}
}

// openAndMigrate does what a process does at its start.
func openAndMigrate(ctx context.Context, c database.Config) error {
	db, err := database.Open(ctx, c)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if err := db.Migrate(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if is, err := db.MigrationsPending(ctx); err != nil || is {
		return fmt.Errorf("migrations pending after Migrate: %t, %w", is, err)
	}
	return db.Close()
}
