package database

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A pooler such as PgBouncer in transaction mode runs each transaction of a client on
// any of its own connections to PostgreSQL. A statement that was prepared on one of
// them is missing on the next, or its name is already used by another client. So a
// connection may keep nothing beyond a transaction: no prepared statements and no
// session locks.

// setQueryMode sets how pgx sends statements. A mode in the URL is used as it is.
// Otherwise statements are prepared once for each connection, unless there is a
// pooler or a statement cache of size 0.
func (db *DB) setQueryMode(ctx context.Context, config *pgx.ConnConfig, url string) error {
	named, err := namesQueryMode(url)
	if err != nil {
		return err
	}
	if named {
		err = checkQueryMode(config)
	}
	if err != nil {
		return err
	}
	db.pooled, err = db.isPooled(ctx, config)
	if err != nil {
		return err
	}
	if !named && (db.pooled || config.StatementCacheCapacity == 0) {
		config.DefaultQueryExecMode = unpreparedMode(config)
	}
	if db.pooled {
		db.logger.InfoContext(ctx, "a connection pooler such as PgBouncer is in front of PostgreSQL",
			"default_query_exec_mode", config.DefaultQueryExecMode.String(), "from_url", named)
	}
	return nil
}

// namesQueryMode reports whether the URL has the parameter default_query_exec_mode.
func namesQueryMode(url string) (bool, error) {
	config, err := pgconn.ParseConfig(url) // Unlike pgx's, it leaves pgx's own parameters in place.
	if err != nil {
		return false, describeURL(url, err)
	}
	_, named := config.RuntimeParams["default_query_exec_mode"]
	return named, nil
}

// checkQueryMode rejects a mode whose cache the URL turns off: pgx would fail at
// every statement.
func checkQueryMode(config *pgx.ConnConfig) error {
	switch {
	case config.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement && config.StatementCacheCapacity == 0:
		return errors.New("the PostgreSQL URL has default_query_exec_mode=cache_statement and statement_cache_capacity=0; remove one of them")
	case config.DefaultQueryExecMode == pgx.QueryExecModeCacheDescribe && config.DescriptionCacheCapacity == 0:
		return errors.New("the PostgreSQL URL has default_query_exec_mode=cache_describe and description_cache_capacity=0; remove one of them")
	}
	return nil
}

// unpreparedMode returns a mode that keeps nothing in a connection. If the URL allows
// it, pgx caches the types of each statement, which costs a round trip at the first
// use only.
func unpreparedMode(config *pgx.ConnConfig) pgx.QueryExecMode {
	if config.DescriptionCacheCapacity == 0 {
		return pgx.QueryExecModeExec
	}
	return pgx.QueryExecModeCacheDescribe
}

// isPooled reports whether a pooler is in front of PostgreSQL. A pooler sends its
// clients a process number of its own at the start, since any of its connections may
// serve them; PostgreSQL sends the number of the process that answers.
func (db *DB) isPooled(ctx context.Context, config *pgx.ConnConfig) (pooled bool, err error) {
	err = db.Do(ctx, "connect", func(ctx context.Context) error {
		conn, err := pgconn.ConnectConfig(ctx, &config.Config)
		if err != nil {
			return nameParameter(err, config.RuntimeParams)
		}
		defer conn.Close(ctx) //nolint:errcheck // nothing was written
		results, err := conn.Exec(ctx, "SELECT pg_backend_pid()").ReadAll()
		if err != nil {
			return err
		}
		pooled = string(results[0].Rows[0][0]) != strconv.FormatUint(uint64(conn.PID()), 10)
		return nil
	})
	return pooled, err
}

// nameParameter returns an error that names the parameter of the URL that PostgreSQL
// or the pooler rejects. Their own texts may contain its value.
func nameParameter(err error, parameters map[string]string) error {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if strings.Contains(failure.Message, name) && parameterName.MatchString(name) {
			return SafeError(fmt.Sprintf("the database server rejects the URL's parameter %s (SQLSTATE %s); correct or remove it", name, failure.Code))
		}
	}
	return err
}

// parameterName matches names that may be shown. Anything else may be part of a
// password that is not percent-encoded.
var parameterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// IsPooled reports whether a connection pooler was found in front of PostgreSQL.
func (db *DB) IsPooled() bool { return db.pooled }
