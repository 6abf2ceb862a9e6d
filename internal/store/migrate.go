package store

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"path"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var embedded embed.FS

// migrationsFor returns the migrations of a dialect.
func migrationsFor(dialect string) fs.FS {
	folder, err := fs.Sub(embedded, path.Join("migrations", dialect))
	if err != nil {
		panic(err) // The folder is part of the program.
	}
	return folder
}

// Migration is a change of the tables.
type Migration struct {
	Version int64
	// Name is the name of the migration's file.
	Name string
	// AppliedAt is zero while the migration is pending.
	AppliedAt time.Time
}

// Migrate applies the pending migrations. Several processes may call it at once:
// one applies them, and the others wait for it.
func (s *Store) Migrate(ctx context.Context) error {
	err := s.underMigrationLock(ctx, func() error { return s.migrateUp(ctx) })
	return s.sanitize(ctx, "migrate up", err)
}

// migrateUp applies migrations until none is pending. On PostgreSQL the caller
// holds a lock. SQLite has none: each migration is a transaction, so a process
// whose migration another process has applied meanwhile has changed nothing. It
// tries again as long as others make progress.
func (s *Store) migrateUp(ctx context.Context) error {
	for {
		before, err := s.appliedVersion(ctx)
		if err != nil {
			return err
		}
		upErr := s.up(ctx)
		if upErr == nil || s.driver != SQLite {
			return upErr
		}
		after, err := s.appliedVersion(ctx)
		if err != nil || after == before {
			return upErr
		}
	}
}

func (s *Store) up(ctx context.Context) error {
	provider, err := s.provider()
	if err != nil {
		return err
	}
	results, err := provider.Up(ctx)
	for _, result := range results {
		s.logger.InfoContext(ctx, "migration applied",
			"migration", path.Base(result.Source.Path), "duration", result.Duration)
	}
	return err
}

// MigrateDown undoes the newest applied migration, if any. The contents of its
// tables and columns are lost.
func (s *Store) MigrateDown(ctx context.Context) error {
	err := s.underMigrationLock(ctx, func() error { return s.migrateDown(ctx) })
	return s.sanitize(ctx, "migrate down", err)
}

func (s *Store) migrateDown(ctx context.Context) error {
	provider, err := s.provider()
	if err != nil {
		return err
	}
	result, err := provider.Down(ctx)
	if errors.Is(err, goose.ErrNoNextVersion) {
		return nil
	}
	if err != nil {
		return err
	}
	s.logger.InfoContext(ctx, "migration undone",
		"migration", path.Base(result.Source.Path), "duration", result.Duration)
	return nil
}

// MigrationStatus returns all migrations, oldest first. It changes nothing.
func (s *Store) MigrationStatus(ctx context.Context) ([]Migration, error) {
	states, err := s.migrationStates(ctx)
	if err != nil {
		return nil, s.sanitize(ctx, "migration status", err)
	}
	migrations := make([]Migration, len(states))
	for n, state := range states {
		migrations[n] = Migration{Version: state.Source.Version, Name: path.Base(state.Source.Path), AppliedAt: state.AppliedAt}
	}
	return migrations, nil
}

// migrationStates keeps goose from making its table where there is none.
func (s *Store) migrationStates(ctx context.Context) ([]*goose.MigrationStatus, error) {
	provider, err := s.provider()
	if err != nil {
		return nil, err
	}
	applied, err := s.appliedVersion(ctx)
	if err != nil {
		return nil, err
	}
	if applied != noVersionTable {
		return provider.Status(ctx)
	}
	var states []*goose.MigrationStatus
	for _, source := range provider.ListSources() {
		states = append(states, &goose.MigrationStatus{Source: source, State: goose.StatePending})
	}
	return states, nil
}

// MigrationsPending reports whether the tables are older than this program. It
// changes nothing and is cheap enough for a readiness check.
func (s *Store) MigrationsPending(ctx context.Context) (bool, error) {
	provider, err := s.provider()
	if err != nil {
		return false, s.sanitize(ctx, "migrations pending", err)
	}
	sources := provider.ListSources()
	applied, err := s.appliedVersion(ctx)
	if err != nil {
		return false, s.sanitize(ctx, "migrations pending", err)
	}
	return applied < sources[len(sources)-1].Version, nil
}

const (
	noVersionTable = -1
	// versionTableExists works in a database of either kind.
	postgresTableExists = "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('" + goose.DefaultTablename + "')"
	sqliteTableExists   = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '" + goose.DefaultTablename + "'"
)

// appliedVersion returns the newest applied version, or noVersionTable.
func (s *Store) appliedVersion(ctx context.Context) (int64, error) {
	db := s.write.WithContext(ctx)
	exists := postgresTableExists
	if s.driver == SQLite {
		db, exists = s.read.WithContext(ctx), sqliteTableExists
	}
	tables, err := readNumber(db.Raw(exists))
	if err != nil || tables == 0 {
		return noVersionTable, err
	}
	version, err := readNumber(db.Raw("SELECT COALESCE(MAX(version_id), 0) FROM " + goose.DefaultTablename))
	return int64(version), err
}

func (s *Store) provider() (*goose.Provider, error) {
	dialect := goose.DialectSQLite3
	if s.driver == PostgreSQL {
		dialect = goose.DialectPostgres
	}
	return goose.NewProvider(dialect, s.pools[0], s.migrations, goose.WithDisableGlobalRegistry(true))
}
