package store

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

// safeError is a text of this package's own, which holds nothing secret.
type safeError string

func (e safeError) Error() string { return string(e) }

// tell turns the error of an operation into one that may be told: nothing of
// a database's or a driver's own text is left, since that may hold values,
// names, addresses or the connection string.
//
// A *chat.Error stays as it is. A database that is out of reach becomes
// chat.ErrStoreUnavailable, and so does a deadline; context.Canceled stays
// itself.
func (s *Store) tell(ctx context.Context, operation string, err error) error {
	var known *chat.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if errors.Is(ctx.Err(), context.Canceled) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("store: %s: %w", operation, context.Canceled)
	}
	cause, outOfReach := describe(err)
	if ctx.Err() != nil && !outOfReach {
		cause = ctx.Err() // It ended what was under way, in whichever words that was told.
	}
	cause = fmt.Errorf("store: %s: %w", operation, cause)
	if outOfReach || ctx.Err() != nil || s.closed.Load() {
		return chat.ErrStoreUnavailable(cause)
	}
	return cause
}

// describe says what an error means, and whether it means that the database
// is out of reach.
func describe(err error) (cause error, outOfReach bool) {
	if safe, ok := errors.AsType[safeError](err); ok {
		return safe, false
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return context.DeadlineExceeded, true
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		return describePostgres(failure, connecting)
	}
	if failure, ok := errors.AsType[*sqlite.Error](err); ok {
		return describeSQLite(failure)
	}
	if text, ok := describeConnection(err); ok {
		return safeError(text), true
	}
	return safeError(fmt.Sprintf("unexpected failure (%T)", innermost(err))), false
}

const missingTable = "a table or column is missing: the migrations are pending, or the database is another's"

// postgresReason is words for the conditions an operator meets most, by
// SQLSTATE (PostgreSQL documentation, appendix A).
func postgresReason(code string) string {
	switch code {
	case "28000", "28P01":
		return "PostgreSQL refused the user or the password"
	case "3D000":
		return "PostgreSQL has no database of this name"
	case "53300":
		return "PostgreSQL has no connection free"
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

func describePostgres(e *pgconn.PgError, connecting bool) (cause error, outOfReach bool) {
	text := postgresReason(e.Code) + " (SQLSTATE " + e.Code
	if e.ConstraintName != "" {
		text += ", constraint " + e.ConstraintName
	}
	class := e.Code[:min(2, len(e.Code))]
	outOfReach = connecting || class == "08" || class == "53" || strings.HasPrefix(e.Code, "57P0") || e.Code == "25006"
	return safeError(text + ")"), outOfReach
}

// The primary result codes of SQLite that are told apart
// (https://www.sqlite.org/rescode.html).
const (
	sqliteError    = 1
	sqliteBusy     = 5
	sqliteLocked   = 6
	sqliteReadOnly = 8
	sqliteIOError  = 10
	sqliteCorrupt  = 11
	sqliteFull     = 13
	sqliteCantOpen = 14
	sqliteNotADB   = 26
)

func describeSQLite(e *sqlite.Error) (cause error, outOfReach bool) {
	const primary = 0xff // An extended code's last byte is its primary one.
	reason := "SQLite reported a failure"
	switch e.Code() & primary {
	case sqliteError:
		if strings.Contains(e.Error(), "no such table") || strings.Contains(e.Error(), "no such column") {
			reason = missingTable
		}
	case sqliteBusy, sqliteLocked:
		reason, outOfReach = "the SQLite file stayed locked by another program", true
	case sqliteReadOnly:
		reason, outOfReach = "the SQLite file or its folder allows no writing", true
	case sqliteIOError:
		reason, outOfReach = "the SQLite file could not be read or written", true
	case sqliteFull:
		reason, outOfReach = "the disk of the SQLite file is full", true
	case sqliteCantOpen:
		reason, outOfReach = "the SQLite file cannot be opened", true
	case sqliteCorrupt, sqliteNotADB:
		reason = "the SQLite file is damaged or no SQLite database"
	}
	return safeError(fmt.Sprintf("%s (SQLite result %d)", reason, e.Code())), outOfReach
}

// describeConnection knows the ways in which a connection fails.
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

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
