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

// Store is a [chat.Store] in a database. It may be used concurrently.
type Store struct {
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

var _ chat.Store = (*Store)(nil)

// Open opens the database and checks that it answers. It does not change the schema;
// see Migrate. It returns chat.ErrStoreUnavailable if the database cannot be reached.
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
		if c.ReadOnly {
			open = s.openSQLiteReadOnly
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

// Ping checks that the database answers. It returns chat.ErrStoreUnavailable if it
// does not.
func (s *Store) Ping(ctx context.Context) error {
	return s.do(ctx, "ping", func(ctx context.Context) error {
		return s.read.WithContext(ctx).Exec("SELECT 1").Error
	})
}

// Close closes all connections. Later operations return chat.ErrStoreUnavailable.
func (s *Store) Close() error {
	s.closed.Store(true)
	var err error
	// The pool that writes is closed last: this removes SQLite's log files.
	for _, pool := range slices.Backward(s.pools) {
		if pool.Close() != nil {
			err = errors.New("the database could not be closed in order")
		}
	}
	return err
}

// addPool adds a pool and returns gorm's handle on it.
func (s *Store) addPool(pool *sql.DB, dialector gorm.Dialector) (*gorm.DB, error) {
	s.pools = append(s.pools, pool)
	return gorm.Open(dialector, &gorm.Config{
		// Every statement is either alone or in a transaction of this package.
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		// gorm's own log contains the values of statements.
		Logger: logger.Discard,
	})
}

// slowOperation is the duration from which an operation is logged.
const slowOperation = 500 * time.Millisecond

// operationTimeout bounds an operation if the database does not answer. Nothing else
// would end it, and a server that stops would wait for it. It is long enough for many
// operations to wait for SQLite's one writer.
const operationTimeout = 30 * time.Second

// do runs an operation. It bounds its time, logs it if it is slow, and removes
// secrets from its error.
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

// transact runs f in a transaction, which is rolled back when ctx ends. SQLite's
// statements do not watch ctx themselves: that would cost a goroutine for each, and
// none of them takes long or waits, since the transaction has the lock.
func (s *Store) transact(ctx context.Context, f func(tx *gorm.DB) error) error {
	return s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if s.driver == SQLite {
			tx = tx.WithContext(context.WithoutCancel(ctx))
		}
		return f(tx)
	})
}
