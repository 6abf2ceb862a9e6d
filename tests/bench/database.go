package main

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

// engine is a kind of database, by its name for people.
type engine string

const (
	sqlite     engine = "SQLite"
	postgreSQL engine = "PostgreSQL"
)

func engines() []engine { return []engine{sqlite, postgreSQL} }

const sqliteScheme = "sqlite:///"

func engineOf(databaseURL string) engine {
	if strings.HasPrefix(databaseURL, sqliteScheme) {
		return sqlite
	}
	return postgreSQL
}

func sqlitePath(databaseURL string) string { return strings.TrimPrefix(databaseURL, sqliteScheme) }

// openDatabase opens a database that the server made, with its settings.
func openDatabase(ctx context.Context, databaseURL string, conns int) (*sql.DB, error) {
	driver, dsn := "pgx", databaseURL
	if engineOf(databaseURL) == sqlite {
		driver = "sqlite"
		dsn = "file:" + (&url.URL{Path: sqlitePath(databaseURL)}).EscapedPath() + "?_pragma=busy_timeout(5000)" +
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

// rebind turns each ? of a statement into what the engine takes.
func rebind(e engine, statement string) string {
	if e == sqlite {
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

// version is what the engine says of itself.
func version(ctx context.Context, databaseURL string) (string, error) {
	db, err := openDatabase(ctx, databaseURL, 1)
	if err != nil {
		return "", err
	}
	query := "SHOW server_version"
	if engineOf(databaseURL) == sqlite {
		query = "SELECT sqlite_version()"
	}
	var text string
	err = db.QueryRowContext(ctx, query).Scan(&text)
	return text, errors.Join(err, db.Close())
}
