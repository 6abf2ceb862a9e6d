package store

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

// A pooler such as PgBouncer in transaction mode runs each transaction of a
// client on any of its own connections to PostgreSQL. A statement that was
// prepared on one of them is missing on the next, or is there already under
// another client's name. So nothing may be kept in a connection beyond a
// transaction: no prepared statements and no session locks.

// setQueryMode sets how pgx sends statements. A mode that the URL names stays.
// Otherwise statements are prepared once for each connection, unless a pooler
// or a statement cache of size 0 forbids it.
func (s *Store) setQueryMode(ctx context.Context, config *pgx.ConnConfig, url string) error {
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
	s.pooled, err = s.isPooled(ctx, config)
	if err != nil {
		return err
	}
	if !named && (s.pooled || config.StatementCacheCapacity == 0) {
		config.DefaultQueryExecMode = unpreparedMode(config)
	}
	if s.pooled {
		s.logger.InfoContext(ctx, "a connection pooler such as PgBouncer is in front of PostgreSQL",
			"default_query_exec_mode", config.DefaultQueryExecMode.String(), "from_url", named)
	}
	return nil
}

// namesQueryMode says whether the URL has the parameter default_query_exec_mode.
func namesQueryMode(url string) (bool, error) {
	config, err := pgconn.ParseConfig(url) // Unlike pgx's, it leaves pgx's own parameters in place.
	if err != nil {
		return false, describeURL(url, err)
	}
	_, named := config.RuntimeParams["default_query_exec_mode"]
	return named, nil
}

// checkQueryMode refuses a mode whose cache the URL turns off: pgx would fail
// at every statement.
func checkQueryMode(config *pgx.ConnConfig) error {
	switch {
	case config.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement && config.StatementCacheCapacity == 0:
		return errors.New("the PostgreSQL URL has default_query_exec_mode=cache_statement and statement_cache_capacity=0; remove one of them")
	case config.DefaultQueryExecMode == pgx.QueryExecModeCacheDescribe && config.DescriptionCacheCapacity == 0:
		return errors.New("the PostgreSQL URL has default_query_exec_mode=cache_describe and description_cache_capacity=0; remove one of them")
	}
	return nil
}

// unpreparedMode leaves nothing in a connection. Where it may, it remembers the
// types of each statement here, which costs a round trip at the first use only.
func unpreparedMode(config *pgx.ConnConfig) pgx.QueryExecMode {
	if config.DescriptionCacheCapacity == 0 {
		return pgx.QueryExecModeExec
	}
	return pgx.QueryExecModeCacheDescribe
}

// isPooled says whether a pooler is in front of PostgreSQL. A pooler gives its
// clients a process number of its own at the start, since any of its connections
// may serve them; PostgreSQL gives the number of the process that answers.
func (s *Store) isPooled(ctx context.Context, config *pgx.ConnConfig) (pooled bool, err error) {
	err = s.do(ctx, "connect", func(ctx context.Context) error {
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

// nameParameter names the parameter of the URL that PostgreSQL or the pooler
// refuses; their own texts may hold its value.
func nameParameter(err error, parameters map[string]string) error {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if strings.Contains(failure.Message, name) && parameterName.MatchString(name) {
			return safeError(fmt.Sprintf("the database's server refuses the URL's parameter %s (SQLSTATE %s); correct or remove it", name, failure.Code))
		}
	}
	return err
}

// parameterName matches what may be shown: anything else may be part of a
// password that is not percent-encoded.
var parameterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// IsPooled says whether a connection pooler was found in front of PostgreSQL.
func (s *Store) IsPooled() bool { return s.pooled }
