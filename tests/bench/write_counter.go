package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/chatkit-rest/chatkit-rest/tests/bench/database"
)

// writeCounter reads the number of writes of a database.
type writeCounter struct {
	read  func(context.Context) (writeCount, error)
	close func() error
}

func openWriteCounter(ctx context.Context, databaseURL string) (*writeCounter, error) {
	db, err := database.Open(ctx, databaseURL, 1)
	if err != nil {
		return nil, err
	}
	if database.EngineOf(databaseURL) == database.PostgreSQL {
		return &writeCounter{
			read:  func(ctx context.Context) (writeCount, error) { return readStatistics(ctx, db) },
			close: db.Close,
		}, nil
	}
	// This open transaction keeps SQLite from restarting the write-ahead log.
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	var sessions int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sessions`).Scan(&sessions); err != nil {
		return nil, errors.Join(err, tx.Rollback(), db.Close())
	}
	path := database.SQLitePath(databaseURL) + "-wal"
	return &writeCounter{
		read:  func(context.Context) (writeCount, error) { return readWAL(path) },
		close: func() error { return errors.Join(tx.Rollback(), db.Close()) },
	}, nil
}

func readStatistics(ctx context.Context, db *sql.DB) (writeCount, error) {
	var count writeCount
	err := db.QueryRowContext(ctx, `SELECT xact_commit,
		(SELECT COALESCE(SUM(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables)
		FROM pg_stat_database WHERE datname = current_database()`).Scan(&count.transactions, &count.changes)
	if err != nil {
		return count, fmt.Errorf("read PostgreSQL's statistics: %w", err)
	}
	return count, nil
}

// The write-ahead log of SQLite, see https://sqlite.org/fileformat2.html#walformat:
// a header of 32 bytes with the page size and the salts, then frames of a
// header and a page. In the last frame of a transaction the size of the database
// is not 0. Frames with other salts are of an older log.
const (
	walHeader      = 32
	walFrameHeader = 24
)

func readWAL(path string) (writeCount, error) {
	log, err := os.ReadFile(path) //nolint:gosec // a database of this program
	if err != nil {
		return writeCount{}, fmt.Errorf("read SQLite's write-ahead log: %w", err)
	}
	var count writeCount
	if len(log) < walHeader {
		return count, nil
	}
	pageSize := int(binary.BigEndian.Uint32(log[8:]))
	salts := string(log[16:24])
	for frame := log[walHeader:]; len(frame) >= walFrameHeader+pageSize; frame = frame[walFrameHeader+pageSize:] {
		if string(frame[8:16]) != salts {
			break
		}
		count.changes++
		if binary.BigEndian.Uint32(frame[4:]) != 0 {
			count.transactions++
		}
	}
	return count, nil
}
