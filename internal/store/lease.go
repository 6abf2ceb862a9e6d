package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
)

// The present time by the database's clock, in microseconds. Leases are set and
// compared by this clock only, since the clocks of the processes that share a
// PostgreSQL may differ. PostgreSQL's now() would be the start of the
// transaction, which may have waited for a lock since then. SQLite's clock is
// the process's; a SQLite file serves one process.
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
	// renew returns the runs that it renews. Its arguments are the lease, in
	// microseconds, and the list of runs.
	renew string
	// claimUpload and renewUpload return the end of the lease that they set.
	// Their arguments are the lease, in microseconds, and the attachment, and of
	// renewUpload the end of the lease before.
	claimUpload, renewUpload string
	// statuses returns the runs of a list, its argument, with their statuses.
	statuses string
	// list writes a list of ids as one argument, so that a statement has one
	// form for lists of all lengths.
	list func(ids []uuid.UUID) string
}

var (
	postgresLeases = newLeaseStatements(postgresNow, "GREATEST", postgresList, `id = ANY(CAST(? AS uuid[]))`,
		// A run whose row is locked is being renewed or finished, so its owner
		// lives.
		`id IN (SELECT id FROM runs WHERE status = 'running' AND owner <> ? AND lease_until < `+postgresNow+`
			FOR UPDATE SKIP LOCKED)`)
	sqliteLeases = newLeaseStatements(sqliteNow, "max", sqliteList, `id IN (SELECT value FROM json_each(?))`,
		`status = 'running' AND owner <> ?`)
)

// newLeaseStatements writes the statements for a database, whose function
// greatest returns the greatest of its arguments.
func newLeaseStatements(
	now, greatest string, list func(ids []uuid.UUID) string, isListed, isOrphan string,
) leaseStatements {
	// A run ends no earlier than it started, whatever the clocks say.
	fail := `UPDATE runs SET status = 'failed', failure_code = ?, failure_reason = ?,
		ended_at = ` + greatest + `(started_at, ` + now + `) WHERE `
	claim := `UPDATE attachments SET upload_until = ` + now + ` + ? WHERE id = ? AND state = 'pending' AND `
	return leaseStatements{
		insertRun: `INSERT INTO runs (` + runColumns + `) VALUES (` + placeholders(runArgsBeforeLease) + `, ` + now + ` + ?)
			ON CONFLICT (session_id) WHERE status = 'running' DO NOTHING`,
		failExpired: fail + `session_id = ? AND status = 'running' AND lease_until < ` + now,
		failOrphans: fail + isOrphan,
		renew:       `UPDATE runs SET lease_until = ` + now + ` + ? WHERE status = 'running' AND ` + isListed + ` RETURNING id`,
		claimUpload: claim + `upload_until <= ` + now + ` RETURNING upload_until`,
		renewUpload: claim + `upload_until = ? RETURNING upload_until`,
		statuses:    `SELECT id, status FROM runs WHERE ` + isListed,
		list:        list,
	}
}

// placeholders is a list of n placeholders.
func placeholders(n int) string { return strings.Repeat("?, ", n-1) + "?" }

func failedArgs() []any {
	return []any{string(chat.FailureServerStopped), chat.ReasonServerStopped}
}

// leasesOf returns the statements for a handle's database.
func leasesOf(db *gorm.DB) leaseStatements {
	if database.Driver(db.Name()) == database.PostgreSQL {
		return postgresLeases
	}
	return sqliteLeases
}

func postgresList(ids []uuid.UUID) string { return "{" + joinIDs(ids, "") + "}" }

func sqliteList(ids []uuid.UUID) string { return "[" + joinIDs(ids, `"`) + "]" }

func joinIDs(ids []uuid.UUID, quote string) string {
	texts := make([]string, len(ids))
	for n, id := range ids {
		texts[n] = quote + id.String() + quote
	}
	return strings.Join(texts, ",")
}

// RenewLeases implements [chat.Store]. It is one statement, and a second one
// where runs are lost.
func (s *Store) RenewLeases(ctx context.Context, runs []uuid.UUID, lease time.Duration) ([]chat.LostRun, error) {
	var lost []chat.LostRun
	err := s.db.Do(ctx, "renew leases", func(ctx context.Context) error {
		db := s.db.Write(ctx)
		statements := leasesOf(db)
		renewed, err := readRows(db.Raw(statements.renew, lease.Microseconds(), statements.list(runs)),
			func(id *uuid.UUID) []any { return []any{id} })
		if err != nil || len(renewed) == len(runs) {
			return err
		}
		lost, err = readLostRuns(db, runs, renewed)
		return err
	})
	return lost, err
}

// readLostRuns returns those of the runs that were not renewed.
func readLostRuns(db *gorm.DB, runs, renewed []uuid.UUID) ([]chat.LostRun, error) {
	rest := slices.DeleteFunc(slices.Clone(runs), func(id uuid.UUID) bool { return slices.Contains(renewed, id) })
	statements := leasesOf(db)
	ended, err := readRows(db.Raw(statements.statuses, statements.list(rest)),
		func(run *chat.LostRun) []any { return []any{&run.ID, &run.Status} })
	if err != nil {
		return nil, err
	}
	for _, id := range rest {
		if !slices.ContainsFunc(ended, func(run chat.LostRun) bool { return run.ID == id }) {
			ended = append(ended, chat.LostRun{ID: id})
		}
	}
	return ended, nil
}

// FailOrphanedRuns implements [chat.Store].
func (s *Store) FailOrphanedRuns(ctx context.Context, owner uuid.UUID) (int, error) {
	failed := 0
	err := s.db.Do(ctx, "fail orphaned runs", func(ctx context.Context) error {
		db := s.db.Write(ctx)
		updated := db.Exec(leasesOf(db).failOrphans, append(failedArgs(), owner.String())...)
		failed = int(updated.RowsAffected)
		return updated.Error
	})
	return failed, err
}
