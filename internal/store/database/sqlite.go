package database

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/libtnb/sqlite"
	"gorm.io/gorm"
)

const (
	sqliteReaders = 4
	// busyTimeout is how long a connection waits for another's lock.
	busyTimeout = "5000" // milliseconds
	// SQLite itself copies its write-ahead log into the file, each wal_autocheckpoint
	// pages. The transaction that does it takes some milliseconds more; at the default of
	// 1,000 pages (4 MB) that was more than one start of a run in a hundred. While a long
	// read prevents the copying, the log grows; journal_size_limit (bytes) cuts it off
	// afterwards.
	sqlitePragmas = "_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)&_pragma=synchronous(1)" +
		"&_pragma=wal_autocheckpoint(4000)&_pragma=journal_size_limit(16777216)"
	queryOnly = "_pragma=query_only(1)"
)

// openSQLite opens the file twice: for the one writer and for the readers.
func (db *DB) openSQLite(ctx context.Context, c Config) error {
	path, err := makeFile(c.Path)
	if err != nil {
		return err
	}
	db.migrations = migrationsFor("sqlite")
	// An immediate transaction waits for the write lock at its start. One that
	// reads first and then writes fails with SQLITE_BUSY while others write.
	db.write, err = db.openSQLitePool(ctx, path, sqlitePragmas+"&_txlock=immediate", 1)
	if err != nil {
		return err
	}
	db.read, err = db.openSQLitePool(ctx, path, sqlitePragmas+"&"+queryOnly, cmp.Or(c.MaxConns, sqliteReaders))
	return err
}

// openSQLiteReadOnly opens the file read-only. It does not change the journal mode,
// which is stored in the file.
func (db *DB) openSQLiteReadOnly(ctx context.Context, c Config) error {
	path, mode, err := findFile(c.Path)
	if err != nil {
		return err
	}
	db.migrations = migrationsFor("sqlite")
	db.read, err = db.openSQLitePool(ctx, path, "mode="+mode+"&"+queryOnly, 1)
	db.write = db.read
	return err
}

// findFile returns the database's file and the mode to open it in. A missing file
// is replaced by an empty database in memory.
func findFile(path string) (found, mode string, err error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the path is the operator's
	if errors.Is(err, fs.ErrNotExist) {
		return ":memory:", "memory", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("open the SQLite file: %w", reason(err))
	}
	_ = file.Close() // Nothing was written.
	found, err = filepath.Abs(path)
	if err != nil {
		return "", "", fmt.Errorf("find the SQLite file: %w", reason(err))
	}
	return filepath.ToSlash(found), "rw", nil
}

// openSQLiteFile opens no connection yet.
func openSQLiteFile(path, options string, conns int) (*sql.DB, error) {
	// busy_timeout is the first pragma, since those after it may have to wait.
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=busy_timeout(" + busyTimeout + ")&" + options
	pool, err := sql.Open(sqlite.DriverName, dsn)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return pool, nil
}

func (db *DB) openSQLitePool(ctx context.Context, path, options string, conns int) (*gorm.DB, error) {
	pool, err := openSQLiteFile(path, options, conns)
	if err != nil {
		return nil, db.sanitize(ctx, "open", err)
	}
	handle, err := db.addPool(pool, sqlite.Dialector{Conn: newPreparedPool(pool)})
	if err != nil {
		return nil, db.sanitize(ctx, "open", err)
	}
	return handle, nil
}

// makeFile makes the database's file and its folder if they are missing.
func makeFile(path string) (string, error) {
	if path == "" {
		return "", errors.New("the path of the SQLite file is empty; write sqlite:///path/file.db")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find the SQLite file: %w", reason(err))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("make the folder of the SQLite file: %w", reason(err))
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the path is the operator's
	if err != nil {
		return "", fmt.Errorf("open the SQLite file: %w", reason(err))
	}
	if err := file.Close(); err != nil {
		return "", fmt.Errorf("open the SQLite file: %w", reason(err))
	}
	return filepath.ToSlash(path), nil
}

// reason returns the cause of a file error without the path, which is part of the
// connection string.
func reason(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}
