package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
)

func pending(t *testing.T, s *store.Store) bool {
	t.Helper()
	is, err := s.MigrationsPending(t.Context())
	if err != nil {
		t.Fatalf("migrations pending: %v", err)
	}
	return is
}

func tables(t *testing.T, c store.Config) []string {
	t.Helper()
	query := "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
	if c.Driver == store.PostgreSQL {
		query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
	}
	rows, err := openDatabase(t, c).QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	names := lines(t, rows, 1)
	return strings.Split(names, "\n")
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	for _, d := range databases() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			c := d.config(t)
			s := openBare(t, c)
			if !pending(t, s) {
				t.Error("no migrations are pending in an empty database")
			}
			if _, err := s.MigrationStatus(t.Context()); err != nil {
				t.Errorf("migration status: %v", err)
			}
			if got := tables(t, c); !slices.Equal(got, []string{""}) {
				t.Errorf("asking made tables: %v", got)
			}
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatalf("migrate: %v", err)
			}
			if pending(t, s) {
				t.Error("migrations are pending after Migrate")
			}
			want := []string{"attachments", "feedback", "goose_db_version", "items", "runs", "secrets", "sessions", "users"}
			if got := tables(t, c); !slices.Equal(got, want) {
				t.Errorf("tables %v, want %v", got, want)
			}
			if err := s.Migrate(t.Context()); err != nil {
				t.Errorf("migrate again: %v", err)
			}
		})
	}
}

func wantApplied(t *testing.T, s *store.Store, want bool) {
	t.Helper()
	migrations, err := s.MigrationStatus(t.Context())
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
	for _, d := range databases() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			c := d.config(t)
			s := openBare(t, c)
			wantApplied(t, s, false)
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantApplied(t, s, true)
			for pendingNow := false; !pendingNow; pendingNow = slices.Equal(tables(t, c), []string{"goose_db_version"}) {
				if err := s.MigrateDown(t.Context()); err != nil {
					t.Fatalf("migrate down: %v", err)
				}
				if !pending(t, s) {
					t.Fatal("no migration is pending after one was undone")
				}
			}
			wantApplied(t, s, false)
			if err := s.MigrateDown(t.Context()); err != nil {
				t.Errorf("migrate down with nothing applied: %v", err)
			}
			if err := s.Migrate(t.Context()); err != nil {
				t.Errorf("migrate after down: %v", err)
			}
			wantApplied(t, s, true)
		})
	}
}

// Several processes may start at once on one empty database.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	for _, d := range databases() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			c := d.config(t)
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
			if pending(t, openBare(t, c)) {
				t.Error("migrations are pending")
			}
			var applied int
			if err := openDatabase(t, c).QueryRowContext(t.Context(),
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
func openAndMigrate(ctx context.Context, c store.Config) error {
	s, err := store.Open(ctx, c)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if err := s.Migrate(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if is, err := s.MigrationsPending(ctx); err != nil || is {
		return fmt.Errorf("migrations pending after Migrate: %t, %w", is, err)
	}
	return s.Close()
}

// Before the migrations a store's errors say that they are pending.
func TestNoTables(t *testing.T) {
	t.Parallel()
	for _, d := range databases() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			c := d.config(t)
			s := openBare(t, c)
			_, err := s.ListSessions(t.Context(), "alice", chat.SessionQuery{Limit: 1})
			if err == nil || !strings.Contains(err.Error(), "migrations are pending") {
				t.Errorf("error %v does not speak of migrations", err)
			}
		})
	}
}
