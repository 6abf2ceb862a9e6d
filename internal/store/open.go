package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Driver names a database.
type Driver string

// The databases.
const (
	PostgreSQL Driver = "postgres"
	SQLite     Driver = "sqlite"
)

// Config says which database to use.
type Config struct {
	Driver Driver
	// DSN is PostgreSQL's URL, or its keyword form.
	DSN string
	// Path is SQLite's file. It and its folder are made if missing, for this
	// user's eyes alone.
	Path string
	// MaxConns bounds the connections: for PostgreSQL all (default 20), for
	// SQLite those that read (default 4); one more writes.
	MaxConns int
	// Look opens the database as it is, to be read alone: nothing is made or
	// changed. A SQLite file that is not there reads as an empty one.
	Look bool
	// Logger is told of slow operations and of migrations; nil logs nothing.
	Logger *slog.Logger
}

// Store is a [chat.Store] in a database. It may be used concurrently.
type Store struct {
	driver Driver
	// write is for what changes rows, read for what does not. In PostgreSQL
	// they are one pool. SQLite has one writer at a time: its pool of one
	// connection makes the others wait, where they would otherwise poll for the
	// file's lock.
	write, read *gorm.DB
	pools       []*sql.DB
	migrations  fs.FS
	logger      *slog.Logger
	closed      atomic.Bool
	// postgres is how a connection is made; nil for SQLite.
	postgres *pgx.ConnConfig
	pooled   bool
}

var _ chat.Store = (*Store)(nil)

// Open opens the database and makes sure that it answers. It changes nothing
// in it; see Migrate.
//
// Returns chat.ErrStoreUnavailable if the database is out of reach.
func Open(ctx context.Context, c Config) (*Store, error) {
	s := &Store{driver: c.Driver, logger: c.Logger}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	var err error
	switch c.Driver {
	case PostgreSQL:
		err = s.openPostgres(ctx, c)
	case SQLite:
		open := s.openSQLite
		if c.Look {
			open = s.lookAtSQLite
		}
		err = open(ctx, c)
	default:
		err = fmt.Errorf("no database driver has the name %q; use %q or %q", c.Driver, PostgreSQL, SQLite)
	}
	if err == nil {
		err = s.Ping(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Ping asks the database for a sign of life. Returns chat.ErrStoreUnavailable
// if there is none.
func (s *Store) Ping(ctx context.Context) error {
	return s.do(ctx, "ping", func(ctx context.Context) error {
		return s.read.WithContext(ctx).Exec("SELECT 1").Error
	})
}

// Close closes all connections; what follows gets chat.ErrStoreUnavailable.
func (s *Store) Close() error {
	s.closed.Store(true)
	var err error
	// The one that writes comes last: it tidies up SQLite's files.
	for _, pool := range slices.Backward(s.pools) {
		if pool.Close() != nil {
			err = errors.New("the database could not be closed in order")
		}
	}
	return err
}

// addPool makes gorm's handle on a pool.
func (s *Store) addPool(pool *sql.DB, dialector gorm.Dialector) (*gorm.DB, error) {
	s.pools = append(s.pools, pool)
	return gorm.Open(dialector, &gorm.Config{
		// Every statement here is either alone or in a transaction of ours.
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		// gorm's own log holds the values of statements.
		Logger: logger.Discard,
	})
}

// slowOperation is when an operation is worth a line in the log.
const slowOperation = 500 * time.Millisecond

// operationTimeout bounds an operation whose database has gone silent: nothing
// else would end its wait, nor that of a server that is to stop. It leaves time
// for a crowd to pass through SQLite's one writer.
const operationTimeout = 30 * time.Second

// do runs an operation and makes its error one that may be told.
func (s *Store) do(ctx context.Context, operation string, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	start := time.Now()
	err := f(ctx)
	if took := time.Since(start); took >= slowOperation {
		s.logger.WarnContext(ctx, "slow database operation", "operation", operation, "duration", took)
	}
	return s.sanitize(ctx, operation, err)
}

// inTransaction runs an operation as one transaction.
func (s *Store) inTransaction(ctx context.Context, operation string, f func(tx *gorm.DB) error) error {
	return s.do(ctx, operation, func(ctx context.Context) error { return s.transact(ctx, f) })
}

// transact runs f in a transaction, which ends with ctx. SQLite's statements
// do not watch ctx themselves: it would cost each a goroutine, and none of
// them takes long or waits, since its transaction has the lock.
func (s *Store) transact(ctx context.Context, f func(tx *gorm.DB) error) error {
	return s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if s.driver == SQLite {
			tx = tx.WithContext(context.WithoutCancel(ctx))
		}
		return f(tx)
	})
}
