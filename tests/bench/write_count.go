package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// openWriteCount returns how to read what a database has written.
func openWriteCount(ctx context.Context, databaseURL string) (
	read func(context.Context) (writeCount, error), done func() error, err error,
) {
	db, err := openDatabase(ctx, databaseURL, 1)
	if err != nil {
		return nil, nil, err
	}
	if engineOf(databaseURL) == postgreSQL {
		return func(ctx context.Context) (writeCount, error) {
			var l writeCount
			err := db.QueryRowContext(ctx, `SELECT xact_commit,
				(SELECT COALESCE(SUM(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables)
				FROM pg_stat_database WHERE datname = current_database()`).Scan(&l.transactions, &l.changes)
			if err != nil {
				return l, fmt.Errorf("read PostgreSQL's statistics: %w", err)
			}
			return l, nil
		}, db.Close, nil
	}
	// While this transaction reads, the log is never begun anew.
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	var tables int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sessions`).Scan(&tables); err != nil {
		return nil, nil, errors.Join(err, tx.Rollback(), db.Close())
	}
	path := sqlitePath(databaseURL) + "-wal"
	return func(context.Context) (writeCount, error) { return readWAL(path) },
		func() error { return errors.Join(tx.Rollback(), db.Close()) }, nil
}

// The write-ahead log of SQLite, see https://sqlite.org/fileformat2.html#walformat:
// a header of 32 bytes with the page size and the salts, then frames of a
// header and a page. A frame that ends a transaction says the size of the
// database, others say 0; frames with other salts are of an older log.
const (
	walHeader      = 32
	walFrameHeader = 24
)

func readWAL(path string) (writeCount, error) {
	log, err := os.ReadFile(path) //nolint:gosec // a database of this program
	if err != nil {
		return writeCount{}, fmt.Errorf("read SQLite's log: %w", err)
	}
	var l writeCount
	if len(log) < walHeader {
		return l, nil
	}
	pageSize := int(binary.BigEndian.Uint32(log[8:]))
	salts := string(log[16:24])
	for frame := log[walHeader:]; len(frame) >= walFrameHeader+pageSize; frame = frame[walFrameHeader+pageSize:] {
		if string(frame[8:16]) != salts {
			break
		}
		l.changes++
		if binary.BigEndian.Uint32(frame[4:]) != 0 {
			l.transactions++
		}
	}
	return l, nil
}
