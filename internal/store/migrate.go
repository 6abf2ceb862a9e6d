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

// Migration is a step in the history of the tables.
type Migration struct {
	Version int64
	// Name is the file's.
	Name string
	// AppliedAt is zero while the migration is pending.
	AppliedAt time.Time
}

// Migrate applies the migrations that are pending. It may run in several
// processes at once: one does the work, the others wait for it.
func (s *Store) Migrate(ctx context.Context) error {
	err := s.underMigrationLock(ctx, func() error { return s.migrateUp(ctx) })
	return s.sanitize(ctx, "migrate up", err)
}

// migrateUp runs until nothing is pending. PostgreSQL has a lock around it.
// SQLite has none: there a process that loses the race for a migration has
// changed nothing, since each is a transaction, and tries again as long as
// another has got further.
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

// MigrateDown undoes the newest migration that is applied, if any, with all
// that its tables hold.
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

// MigrationsPending says whether the tables are older than this program. It
// changes nothing, and a readiness check may ask it often.
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

// appliedVersion returns the newest version applied, noVersionTable before
// there is any.
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
