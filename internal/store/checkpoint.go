package store

import (
	"context"
	"errors"
	"os"
	"time"
)

const (
	// maxLog is when SQLite's log is emptied whatever it takes, in bytes.
	// SQLite copies it back to the file by itself, but begins it anew only at
	// a moment when nobody reads from it, which may not come under steady load.
	maxLog = 64 << 20
	// logGlance is how often the log is looked at.
	logGlance = time.Second
	// readersWait bounds how long all who write wait for those who read.
	readersWait = "250" // milliseconds
)

// keepLogShort empties SQLite's log when it is long, until ctx ends.
func (s *Store) keepLogShort(ctx context.Context, path string) {
	glance := time.NewTicker(logGlance)
	defer glance.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-glance.C:
		}
		if log, err := os.Stat(path + "-wal"); err != nil || log.Size() <= maxLog {
			continue
		}
		if err := s.do(ctx, "empty log", s.emptyLog); err != nil && ctx.Err() == nil {
			s.logger.WarnContext(ctx, "SQLite's log is long and could not be emptied; it is tried again", "error", err)
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
