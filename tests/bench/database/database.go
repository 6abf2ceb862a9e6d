// Package database opens the databases of the server for the benchmark.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

// Engine is the name of a database engine.
type Engine string

// The engines that the server supports.
const (
	SQLite     Engine = "SQLite"
	PostgreSQL Engine = "PostgreSQL"
)

// Engines returns the engines that the server supports.
func Engines() []Engine { return []Engine{SQLite, PostgreSQL} }

const sqliteScheme = "sqlite:///"

// EngineOf returns the engine of a database.
func EngineOf(databaseURL string) Engine {
	if strings.HasPrefix(databaseURL, sqliteScheme) {
		return SQLite
	}
	return PostgreSQL
}

// SQLiteURL returns the URL of the SQLite database in a file.
func SQLiteURL(path string) string { return sqliteScheme + path }

// SQLitePath returns the file of the SQLite database with a URL.
func SQLitePath(databaseURL string) string { return strings.TrimPrefix(databaseURL, sqliteScheme) }

// Open opens a database of the server, with the settings that the server uses.
func Open(ctx context.Context, databaseURL string, conns int) (*sql.DB, error) {
	driver, dsn := "pgx", databaseURL
	if EngineOf(databaseURL) == SQLite {
		driver = "sqlite"
		dsn = "file:" + (&url.URL{Path: SQLitePath(databaseURL)}).EscapedPath() + "?_pragma=busy_timeout(5000)" +
			"&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)&_pragma=synchronous(1)&_pragma=wal_autocheckpoint(4000)"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the database: %w", err), db.Close())
	}
	return db, nil
}

// Rebind replaces each ? of a statement with the placeholder of the engine.
func Rebind(e Engine, statement string) string {
	if e == SQLite {
		return statement
	}
	parts := strings.Split(statement, "?")
	var out strings.Builder
	out.WriteString(parts[0])
	for n, part := range parts[1:] {
		out.WriteString("$" + strconv.Itoa(n+1) + part)
	}
	return out.String()
}

// Version returns the version of the database's engine.
func Version(ctx context.Context, databaseURL string) (string, error) {
	db, err := Open(ctx, databaseURL, 1)
	if err != nil {
		return "", err
	}
	query := "SHOW server_version"
	if EngineOf(databaseURL) == SQLite {
		query = "SELECT sqlite_version()"
	}
	var text string
	err = db.QueryRowContext(ctx, query).Scan(&text)
	return text, errors.Join(err, db.Close())
}
