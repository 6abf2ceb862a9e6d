package database

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// SafeError is the text of an error that may be logged: it contains no stored
// value and no text of the database's own. [DB.Do] keeps it.
type SafeError string

func (e SafeError) Error() string { return string(e) }

// sanitize turns the error of an operation into one that may be logged and
// returned. Nothing of a database's or a driver's own text is left, since that
// may hold values, names, addresses or the connection string.
//
// A *chat.Error stays as it is. An error that may be gone at the next try becomes
// chat.ErrStoreUnavailable, and so does a deadline; context.Canceled stays
// itself. Every other error is permanent: to try again is useless.
func (db *DB) sanitize(ctx context.Context, operation string, err error) error {
	var known *chat.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if errors.Is(ctx.Err(), context.Canceled) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("database: %s: %w", operation, context.Canceled)
	}
	cause, passing := classify(err)
	if ctx.Err() != nil && !passing {
		cause = ctx.Err() // It ended the operation, whatever the driver calls that.
	}
	cause = fmt.Errorf("database: %s: %w", operation, cause)
	if passing || ctx.Err() != nil || db.closed.Load() {
		return chat.ErrStoreUnavailable(cause)
	}
	return cause
}

// classify describes a database's error, and reports whether it is passing: it
// may be gone at the next try, or once an operator has mended what is wrong with
// the database. An error that is not passing is due to the statement or its
// values, or is unknown.
func classify(err error) (cause error, passing bool) {
	if safe, ok := errors.AsType[SafeError](err); ok {
		return safe, false
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return context.DeadlineExceeded, true
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		return classifyPostgres(failure, connecting)
	}
	if failure, ok := errors.AsType[*sqlite.Error](err); ok {
		return classifySQLite(failure)
	}
	if text, ok := describeConnection(err); ok {
		return SafeError(text), true
	}
	return SafeError(fmt.Sprintf("unexpected failure (%T)", innermost(err))), false
}

const missingTable = "a table or column is missing: the migrations are pending, or the database is another's"

// postgresReason describes the conditions that an operator meets most, by SQLSTATE
// (PostgreSQL documentation, appendix A).
func postgresReason(code string) string {
	switch code {
	case "28000", "28P01":
		return "PostgreSQL refused the user or the password"
	case "3D000":
		return "PostgreSQL has no database of this name"
	case "40001", "40P01":
		return "PostgreSQL ended the transaction because of a concurrent one"
	case "53100":
		return "PostgreSQL's disk is full"
	case "53200":
		return "PostgreSQL is out of memory"
	case "53300":
		return "PostgreSQL has no connection free"
	case "55P03":
		return "PostgreSQL could not lock a row in time"
	case "57014":
		return "PostgreSQL cancelled the statement, for example after its statement_timeout"
	case "57P01", "57P02", "57P03":
		return "PostgreSQL is starting or stopping"
	case "25006":
		return "PostgreSQL allows no writing"
	case "42P01", "42703":
		return missingTable
	case "42501":
		return "PostgreSQL denies the user a right on the tables"
	default:
		return "PostgreSQL reported a failure"
	}
}

// isPassingPostgres reports whether a SQLSTATE is of a passing condition. Those
// left out are permanent: among them wrong data (class 22), violated constraints
// (23), wrong statements (42), values that are too large (54) and damage (XX).
func isPassingPostgres(code string) bool {
	switch code[:min(2, len(code))] {
	case "08", // connection failures
		"53", // disk full, out of memory, too many connections
		"58": // failures of the operating system
		return true
	}
	switch code {
	case "25006", // read-only: a standby, until it takes over
		"25P03", "25P04", "57P05", // an idle session or transaction, or a long one, was ended
		"40000", "40001", "40003", "40P01", // serialization failure, deadlock
		"55006", "55P03", // an object or a row is in use
		"57014",                   // the statement was cancelled
		"57P01", "57P02", "57P03": // PostgreSQL is starting or stopping
		return true
	}
	return false
}

func classifyPostgres(e *pgconn.PgError, connecting bool) (cause error, passing bool) {
	text := postgresReason(e.Code) + " (SQLSTATE " + e.Code
	if e.ConstraintName != "" {
		text += ", constraint " + e.ConstraintName
	}
	return SafeError(text + ")"), connecting || isPassingPostgres(e.Code)
}

// The primary result codes of SQLite that are told apart
// (https://www.sqlite.org/rescode.html).
const (
	sqliteError     = 1
	sqliteBusy      = 5
	sqliteLocked    = 6
	sqliteNoMemory  = 7
	sqliteReadOnly  = 8
	sqliteInterrupt = 9
	sqliteIOError   = 10
	sqliteCorrupt   = 11
	sqliteFull      = 13
	sqliteCantOpen  = 14
	sqliteProtocol  = 15
	sqliteTooBig    = 18
	sqliteNotADB    = 26
)

// classifySQLite classifies by the primary result code. Those left out are
// permanent, among them violated constraints and wrong types.
func classifySQLite(e *sqlite.Error) (cause error, passing bool) {
	const primary = 0xff // An extended code's last byte is its primary one.
	reason := "SQLite reported a failure"
	switch e.Code() & primary {
	case sqliteError:
		if strings.Contains(e.Error(), "no such table") || strings.Contains(e.Error(), "no such column") {
			reason = missingTable
		}
	case sqliteBusy, sqliteLocked, sqliteProtocol:
		reason, passing = "the SQLite file stayed locked by another program", true
	case sqliteNoMemory:
		reason, passing = "SQLite is out of memory", true
	case sqliteReadOnly:
		reason, passing = "the SQLite file or its folder allows no writing", true
	case sqliteInterrupt:
		reason, passing = "the SQLite statement was interrupted", true
	case sqliteIOError:
		reason, passing = "the SQLite file could not be read or written", true
	case sqliteFull:
		reason, passing = "the disk of the SQLite file is full", true
	case sqliteCantOpen:
		reason, passing = "the SQLite file cannot be opened", true
	case sqliteTooBig:
		reason = "a value is too large for SQLite"
	case sqliteCorrupt, sqliteNotADB:
		reason = "the SQLite file is damaged or no SQLite database"
	}
	return SafeError(fmt.Sprintf("%s (SQLite result %d)", reason, e.Code())), passing
}

// describeConnection describes the failures of a connection; false for any other
// error.
func describeConnection(err error) (string, bool) {
	var dns *net.DNSError
	var errno syscall.Errno
	var network net.Error
	var connect *pgconn.ConnectError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return "the database's TLS certificate is not trusted", true
	case errors.As(err, &connect) && strings.Contains(err.Error(), "refused TLS"):
		return "the database's server offers no TLS, which the URL's sslmode asks for", true
	case errors.As(err, &dns):
		return "the database's host name cannot be resolved", true
	case errors.As(err, &network) && network.Timeout():
		return "the database does not answer in time", true
	case errors.As(err, &errno):
		return "the database cannot be reached: " + errno.Error(), true
	case errors.As(err, &connect):
		return "the database cannot be connected to", true
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, pgconn.ErrConnClosed),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &network):
		return "the connection to the database broke", true
	}
	return "", false
}

// innermost returns the last error of a chain.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
