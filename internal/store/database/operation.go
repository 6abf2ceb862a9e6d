package database

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// slowOperation is the duration from which an operation is logged.
const slowOperation = 500 * time.Millisecond

// operationTimeout bounds an operation if the database does not answer. Nothing else
// would end it, and a server that stops would wait for it. It is long enough for many
// operations to wait for SQLite's one writer.
const operationTimeout = 30 * time.Second

// Do runs an operation, which uses Read, Write or Transact. It bounds its time,
// logs it if it is slow, and removes secrets from its error.
func (db *DB) Do(ctx context.Context, operation string, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	start := time.Now()
	err := f(ctx)
	if took := time.Since(start); took >= slowOperation {
		db.logger.WarnContext(ctx, "slow database operation", "operation", operation, "duration", took)
	}
	return db.sanitize(ctx, operation, err)
}

// Read returns gorm's handle for statements that change no rows.
func (db *DB) Read(ctx context.Context) *gorm.DB { return db.read.WithContext(ctx) }

// Write returns gorm's handle for statements that change rows.
func (db *DB) Write(ctx context.Context) *gorm.DB { return db.write.WithContext(ctx) }

// InTransaction runs an operation as one transaction.
func (db *DB) InTransaction(ctx context.Context, operation string, f func(tx *gorm.DB) error) error {
	return db.Do(ctx, operation, func(ctx context.Context) error { return db.Transact(ctx, f) })
}

// Transact runs f in a transaction, which is rolled back when ctx ends. Only an
// operation of Do may call it. SQLite's statements do not watch ctx themselves:
// that would cost a goroutine for each, and none of them takes long or waits, since
// the transaction has the lock.
func (db *DB) Transact(ctx context.Context, f func(tx *gorm.DB) error) error {
	return db.Write(ctx).Transaction(func(tx *gorm.DB) error {
		if db.driver == SQLite {
			tx = tx.WithContext(context.WithoutCancel(ctx))
		}
		return f(tx)
	})
}
