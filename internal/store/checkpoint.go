package store

import (
	"context"
	"database/sql"
	"time"
)

const (
	// checkpointPause lies between the looks at SQLite's log.
	checkpointPause = time.Second
	// checkpointTries are for what is written while a checkpoint copies: only a
	// log that is copied whole is begun anew.
	checkpointTries = 3
	// latestCheckpoint is the length of the log, in pages, at which a
	// transaction copies it itself.
	latestCheckpoint = "10000"
)

// checkpointer moves what SQLite's log holds into the database's file. Left to
// itself SQLite does so within the transaction that makes the log long, whose
// user waits for the disk.
type checkpointer struct {
	pool  *sql.DB
	stop  context.CancelFunc
	ended chan struct{}
}

func startCheckpointer(pool *sql.DB) *checkpointer {
	ctx, stop := context.WithCancel(context.Background())
	c := &checkpointer{pool: pool, stop: stop, ended: make(chan struct{})}
	go c.run(ctx)
	return c
}

func (c *checkpointer) run(ctx context.Context) {
	defer close(c.ended)
	pause := time.NewTicker(checkpointPause)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
			c.checkpoint(ctx)
		}
	}
}

// checkpoint tells no error: what it did not do, the next or a transaction does.
func (c *checkpointer) checkpoint(ctx context.Context) {
	for range checkpointTries {
		var busy, pages, copied int
		row := c.pool.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
		if row.Scan(&busy, &pages, &copied) != nil || busy != 0 || pages == copied {
			return
		}
	}
}

func (c *checkpointer) close() {
	c.stop()
	<-c.ended
}
