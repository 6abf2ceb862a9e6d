package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// The present time in microseconds by the database's clock. A lease is set and
// compared by this clock alone, because the clocks of the processes that share
// a PostgreSQL may differ. PostgreSQL's now() would be the start of the
// transaction, which may have waited for a lock since. SQLite's clock is that of
// its one process.
const (
	postgresNow = `CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)`
	sqliteNow   = `CAST(unixepoch('subsec') * 1000000 AS INTEGER)`
)

// leaseStatements are the statements that use the database's clock.
type leaseStatements struct {
	// insertRun has the arguments of runArgs.
	insertRun string
	// failExpired marks the run of one session whose lease is over. Its
	// arguments are failedArgs and the session.
	failExpired string
	// failOrphans has the arguments failedArgs and the owner whose runs it
	// leaves alone.
	failOrphans string
	// renew has the arguments lease, in microseconds, and a list of runs.
	renew string
}

var (
	postgresLeases = newLeaseStatements(postgresNow, "GREATEST",
		// A run whose row is locked is being renewed or finished, so its owner
		// lives.
		`id IN (SELECT id FROM runs WHERE status = 'running' AND owner <> ? AND lease_until < `+postgresNow+`
			FOR UPDATE SKIP LOCKED)`)
	sqliteLeases = newLeaseStatements(sqliteNow, "max", `status = 'running' AND owner <> ?`)
)

// newLeaseStatements writes the statements for a database, whose function
// greatest returns the greatest of its arguments.
func newLeaseStatements(now, greatest, isOrphan string) leaseStatements {
	// A run ends no earlier than it started, whatever the clocks say.
	fail := `UPDATE runs SET status = 'failed', failure_code = ?, failure_reason = ?,
		ended_at = ` + greatest + `(started_at, ` + now + `) WHERE `
	return leaseStatements{
		insertRun: `INSERT INTO runs (` + runColumns + `) VALUES (` + placeholders(runArgsBeforeLease) + `, ` + now + ` + ?)
			ON CONFLICT (session_id) WHERE status = 'running' DO NOTHING`,
		failExpired: fail + `session_id = ? AND status = 'running' AND lease_until < ` + now,
		failOrphans: fail + isOrphan,
		renew:       `UPDATE runs SET lease_until = ` + now + ` + ? WHERE status = 'running' AND id IN (?)`,
	}
}

// placeholders is a list of n placeholders.
func placeholders(n int) string { return strings.Repeat("?, ", n-1) + "?" }

func failedArgs() []any {
	return []any{string(chat.FailureServerStopped), chat.ReasonServerStopped}
}

// leasesOf returns the statements for a handle's database.
func leasesOf(db *gorm.DB) leaseStatements {
	if Driver(db.Name()) == PostgreSQL {
		return postgresLeases
	}
	return sqliteLeases
}

// maxRenewals is how many runs a statement renews; databases bound the number
// of its parameters.
const maxRenewals = 1000

// RenewLeases implements [chat.Store].
func (s *Store) RenewLeases(ctx context.Context, runs []uuid.UUID, lease time.Duration) error {
	return s.do(ctx, "renew leases", func(ctx context.Context) error {
		db := s.write.WithContext(ctx)
		for some := range slices.Chunk(runs, maxRenewals) {
			ids := make([]string, len(some))
			for n, id := range some {
				ids[n] = id.String()
			}
			if err := db.Exec(leasesOf(db).renew, lease.Microseconds(), ids).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

// FailOrphanedRuns implements [chat.Store].
func (s *Store) FailOrphanedRuns(ctx context.Context, owner uuid.UUID) (int, error) {
	failed := 0
	err := s.do(ctx, "fail orphaned runs", func(ctx context.Context) error {
		db := s.write.WithContext(ctx)
		updated := db.Exec(leasesOf(db).failOrphans, append(failedArgs(), owner.String())...)
		failed = int(updated.RowsAffected)
		return updated.Error
	})
	return failed, err
}
