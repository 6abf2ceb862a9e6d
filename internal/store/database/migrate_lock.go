package database

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3/lock"
)

const (
	migrationLockInterval = time.Second
	migrationLockPatience = 5 * time.Minute
)

// errMigrationLocked is the error of a process that waited too long.
const errMigrationLocked = SafeError("another process has been changing the tables for five minutes")

// underMigrationLock runs f while no other process changes the tables. It holds
// the lock by a transaction on a connection of its own: goose's lock belongs to a
// session, and a pooler in transaction mode would lose it. The number of the lock
// is goose's, so that older versions of this program wait too. SQLite needs no
// lock; see migrateUp.
func (db *DB) underMigrationLock(ctx context.Context, f func() error) error {
	if db.driver == SQLite {
		return f()
	}
	conn, err := pgx.ConnectConfig(ctx, db.postgres)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the lock ends with the connection
	tx, err := lockMigrations(ctx, conn)
	if err != nil {
		return err
	}
	return errors.Join(f(), tx.Rollback(context.WithoutCancel(ctx)))
}

// lockMigrations returns a transaction that holds the lock. A waiting process ends
// its transaction between two tries, since it would occupy a connection of the
// pooler that the process with the lock may need.
func lockMigrations(ctx context.Context, conn *pgx.Conn) (pgx.Tx, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, migrationLockPatience, errMigrationLocked)
	defer cancel()
	for {
		tx, locked, err := tryLockMigrations(ctx, conn)
		if err != nil || locked {
			return tx, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(migrationLockInterval):
		}
	}
}

func tryLockMigrations(ctx context.Context, conn *pgx.Conn) (tx pgx.Tx, locked bool, err error) {
	tx, err = conn.Begin(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("begin: %w", err)
	}
	err = tx.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock($1)", lock.DefaultLockID).Scan(&locked)
	if err == nil && locked {
		return tx, true, nil
	}
	return nil, false, errors.Join(err, tx.Rollback(ctx))
}
