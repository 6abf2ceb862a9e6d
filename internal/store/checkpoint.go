package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"time"
)

const (
	// copyLog is when SQLite's log is copied back to the file, in bytes. It is
	// done beside those who write: left to itself, SQLite does it within the
	// transaction that made the log long, and all others wait for that.
	copyLog = 4 << 20
	// maxLog is when the log is emptied whatever it takes, in bytes. Copied or
	// not, SQLite begins it anew only at a moment when nobody reads from it,
	// which may not come under steady load.
	maxLog = 64 << 20
	// logGlance is how often the log is looked at.
	logGlance = time.Second
	// readersWait bounds how long all who write wait for those who read.
	readersWait = "250" // milliseconds
)

// keepLogShort copies SQLite's log when it is long, and empties it when it is
// very long, until ctx ends.
func (s *Store) keepLogShort(ctx context.Context, path string, copier *sql.DB) {
	glance := time.NewTicker(logGlance)
	defer glance.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-glance.C:
		}
		log, err := os.Stat(path + "-wal")
		switch {
		case err != nil || log.Size() <= copyLog:
		case log.Size() <= maxLog:
			// What it leaves to others who read or write, the next one does.
			if _, err := copier.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil && ctx.Err() == nil {
				s.logger.WarnContext(ctx, "SQLite's log could not be copied; it is tried again",
					"error", s.sanitize(ctx, "copy log", err))
			}
		default:
			if err := s.do(ctx, "empty log", s.emptyLog); err != nil && ctx.Err() == nil {
				s.logger.WarnContext(ctx, "SQLite's log is long and could not be emptied; it is tried again", "error", err)
			}
		}
	}
}

// emptyLog has the connection that writes copy the log back and cut it off.
func (s *Store) emptyLog(ctx context.Context) error {
	pool := s.pools[0] // the one that writes
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it goes back to its pool
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = "+readersWait); err != nil {
		return err
	}
	var busy, frames, copied int
	err = conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &copied)
	if err == nil && busy != 0 {
		err = safeError("somebody reads an old state of it")
	}
	_, restored := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA busy_timeout = "+busyTimeout)
	return errors.Join(err, restored)
}
