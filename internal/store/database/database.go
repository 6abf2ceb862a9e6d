package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Driver names a database.
type Driver string

// The databases.
const (
	PostgreSQL Driver = "postgres"
	SQLite     Driver = "sqlite"
)

// Config describes the database to open.
type Config struct {
	Driver Driver
	// DSN is the URL of PostgreSQL, or its keyword form.
	DSN string
	// Path is the path of the SQLite file. Open creates a missing file and its
	// folder, readable by this user only.
	Path string
	// MaxConns bounds the connections: for PostgreSQL all of them (default 20),
	// for SQLite those that read (default 4), beside the one that writes.
	MaxConns int
	// ReadOnly opens the database without creating or changing anything. A
	// missing SQLite file reads as an empty database.
	ReadOnly bool
	// Logger logs slow operations and migrations; nil logs nothing.
	Logger *slog.Logger
}

// DB is an open database. It may be used concurrently.
type DB struct {
	driver Driver
	// write is for operations that change rows, read for the others. For
	// PostgreSQL they are one pool. SQLite has one writer at a time: a pool of one
	// connection lets the other operations wait, rather than poll for the file's
	// lock.
	write, read *gorm.DB
	pools       []*sql.DB
	migrations  fs.FS
	logger      *slog.Logger
	closed      atomic.Bool
	// postgres is the configuration of a connection; nil for SQLite.
	postgres *pgx.ConnConfig
	// pooled says whether a connection pooler is in front of PostgreSQL.
	pooled bool
}

// Open opens the database and checks that it answers. It does not change the schema;
// see Migrate. It returns chat.ErrStoreUnavailable if the database cannot be reached.
func Open(ctx context.Context, c Config) (*DB, error) {
	db := &DB{driver: c.Driver, logger: c.Logger}
	if db.logger == nil {
		db.logger = slog.New(slog.DiscardHandler)
	}
	var err error
	switch c.Driver {
	case PostgreSQL:
		err = db.openPostgres(ctx, c)
	case SQLite:
		open := db.openSQLite
		if c.ReadOnly {
			open = db.openSQLiteReadOnly
		}
		err = open(ctx, c)
	default:
		err = fmt.Errorf("no database driver has the name %q; use %q or %q", c.Driver, PostgreSQL, SQLite)
	}
	if err == nil {
		err = db.Ping(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Ping checks that the database answers. It returns chat.ErrStoreUnavailable if it
// does not.
func (db *DB) Ping(ctx context.Context) error {
	return db.Do(ctx, "ping", func(ctx context.Context) error {
		return db.Read(ctx).Exec("SELECT 1").Error
	})
}

// Close closes all connections. Later operations return chat.ErrStoreUnavailable.
func (db *DB) Close() error {
	db.closed.Store(true)
	var err error
	// The pool that writes is closed last: this removes SQLite's log files.
	for _, pool := range slices.Backward(db.pools) {
		if pool.Close() != nil {
			err = errors.New("the database could not be closed in order")
		}
	}
	return err
}

// Driver returns the kind of the database.
func (db *DB) Driver() Driver { return db.driver }

// addPool adds a pool and returns gorm's handle on it.
func (db *DB) addPool(pool *sql.DB, dialector gorm.Dialector) (*gorm.DB, error) {
	db.pools = append(db.pools, pool)
	return gorm.Open(dialector, &gorm.Config{
		// Every statement is either alone or in a transaction of Transact.
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		// gorm's own log contains the values of statements.
		Logger: logger.Discard,
	})
}
