package database

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
func (db *DB) Migrate(ctx context.Context) error {
	err := db.underMigrationLock(ctx, func() error { return db.migrateUp(ctx) })
	return db.sanitize(ctx, "migrate up", err)
}

// migrateUp applies migrations until none is pending. On PostgreSQL the caller
// holds a lock. SQLite has none: each migration is a transaction, so a process
// whose migration another process has applied meanwhile has changed nothing. It
// tries again as long as others make progress.
func (db *DB) migrateUp(ctx context.Context) error {
	for {
		before, err := db.appliedVersion(ctx)
		if err != nil {
			return err
		}
		upErr := db.up(ctx)
		if upErr == nil || db.driver != SQLite {
			return upErr
		}
		after, err := db.appliedVersion(ctx)
		if err != nil || after == before {
			return upErr
		}
	}
}

func (db *DB) up(ctx context.Context) error {
	provider, err := db.provider()
	if err != nil {
		return err
	}
	results, err := provider.Up(ctx)
	for _, result := range results {
		db.logger.InfoContext(ctx, "migration applied",
			"migration", path.Base(result.Source.Path), "duration", result.Duration)
	}
	return err
}

// MigrateDown undoes the newest applied migration, if any. The contents of its
// tables and columns are lost.
func (db *DB) MigrateDown(ctx context.Context) error {
	err := db.underMigrationLock(ctx, func() error { return db.migrateDown(ctx) })
	return db.sanitize(ctx, "migrate down", err)
}

func (db *DB) migrateDown(ctx context.Context) error {
	provider, err := db.provider()
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
	db.logger.InfoContext(ctx, "migration undone",
		"migration", path.Base(result.Source.Path), "duration", result.Duration)
	return nil
}

// MigrationStatus returns all migrations, oldest first. It changes nothing.
func (db *DB) MigrationStatus(ctx context.Context) ([]Migration, error) {
	states, err := db.migrationStates(ctx)
	if err != nil {
		return nil, db.sanitize(ctx, "migration status", err)
	}
	migrations := make([]Migration, len(states))
	for n, state := range states {
		migrations[n] = Migration{Version: state.Source.Version, Name: path.Base(state.Source.Path), AppliedAt: state.AppliedAt}
	}
	return migrations, nil
}

// migrationStates keeps goose from making its table where there is none.
func (db *DB) migrationStates(ctx context.Context) ([]*goose.MigrationStatus, error) {
	provider, err := db.provider()
	if err != nil {
		return nil, err
	}
	applied, err := db.appliedVersion(ctx)
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
func (db *DB) MigrationsPending(ctx context.Context) (bool, error) {
	provider, err := db.provider()
	if err != nil {
		return false, db.sanitize(ctx, "migrations pending", err)
	}
	sources := provider.ListSources()
	applied, err := db.appliedVersion(ctx)
	if err != nil {
		return false, db.sanitize(ctx, "migrations pending", err)
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
func (db *DB) appliedVersion(ctx context.Context) (int64, error) {
	handle, exists := db.Write(ctx), postgresTableExists
	if db.driver == SQLite {
		handle, exists = db.Read(ctx), sqliteTableExists
	}
	var tables int
	if err := handle.Raw(exists).Scan(&tables).Error; err != nil || tables == 0 {
		return noVersionTable, err
	}
	var version int64
	err := handle.Raw("SELECT COALESCE(MAX(version_id), 0) FROM " + goose.DefaultTablename).Scan(&version).Error
	return version, err
}

func (db *DB) provider() (*goose.Provider, error) {
	dialect := goose.DialectSQLite3
	if db.driver == PostgreSQL {
		dialect = goose.DialectPostgres
	}
	return goose.NewProvider(dialect, db.pools[0], db.migrations, goose.WithDisableGlobalRegistry(true))
}
