package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/chatkit-rest/chatkit-rest/tests/bench/database"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/loadclient"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/script"
)

// writeCount is the number of writes of a database so far.
type writeCount struct {
	// transactions are the committed transactions.
	transactions int64
	// changes are rows in PostgreSQL and pages of the write-ahead log in SQLite.
	changes int64
}

// measureWrites counts the writes of runs with few and with many deltas.
func measureWrites(ctx context.Context, b *bench) error {
	results := table{header: []string{"database", "deltas a run", "transactions a run", "rows (SQLite: WAL pages) a run"}}
	for _, e := range database.Engines() {
		if err := b.measureWritesOn(ctx, e, &results); err != nil {
			return err
		}
	}
	b.report.addSection("Writes of a run",
		fmt.Sprintf("%d runs one after another, each in a session of its own, less the writes of a server without runs. "+
			"The transactions of PostgreSQL include those that only read.", b.scale.writeRuns), results)
	return nil
}

func (b *bench) measureWritesOn(ctx context.Context, e database.Engine, results *table) (err error) {
	databaseURL, err := b.newDatabase(ctx, e)
	if err != nil {
		return err
	}
	counter, err := openWriteCounter(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, counter.close()) }()
	count := func(runs, deltas int) (writeCount, error) {
		b.progressf("writes: %s, %d runs of %d deltas", e, runs, deltas)
		return b.countWrites(ctx, databaseURL, counter, runs, deltas)
	}
	idle, err := count(0, b.scale.writeFew)
	if err != nil {
		return err
	}
	var transactions []float64
	for _, deltas := range []int{b.scale.writeFew, b.scale.writeMany} {
		busy, err := count(b.scale.writeRuns, deltas)
		if err != nil {
			return err
		}
		runs := float64(b.scale.writeRuns)
		transactions = append(transactions, float64(busy.transactions-idle.transactions)/runs)
		results.add(string(e), strconv.Itoa(deltas), fmt.Sprintf("%.2f", transactions[len(transactions)-1]),
			fmt.Sprintf("%.2f", float64(busy.changes-idle.changes)/runs))
	}
	b.report.addAim(fmt.Sprintf("transactions a run of %d and of %d deltas, %s", b.scale.writeFew, b.scale.writeMany, e),
		fmt.Sprintf("%.2f, %.2f", transactions[0], transactions[1]), "2", transactions[1] < 2.5)
	return nil
}

// countWrites returns the writes of a server from its start to its end, with a
// number of runs. It creates the same number of sessions however many runs there
// are. The server is stopped before the count because PostgreSQL reliably counts
// only the writes of closed connections.
func (b *bench) countWrites(
	ctx context.Context, databaseURL string, counter *writeCounter, runs, deltas int,
) (writeCount, error) {
	before, err := counter.read(ctx)
	if err != nil {
		return writeCount{}, err
	}
	t, err := b.startServer(ctx, databaseURL)
	if err != nil {
		return writeCount{}, err
	}
	err = runOneByOne(ctx, t, b.scale.writeRuns, runs, deltas)
	if err = errors.Join(err, t.process.stop()); err != nil {
		return writeCount{}, err
	}
	after, err := counter.read(ctx)
	return writeCount{after.transactions - before.transactions, after.changes - before.changes}, err
}

// runOneByOne creates sessions, and runs in the first of them.
func runOneByOne(ctx context.Context, t *target, sessions, runs, deltas int) error {
	requests, err := t.requests(ctx, sessions, script.Answer{Deltas: deltas})
	if err != nil {
		return err
	}
	c, err := loadclient.Dial(ctx, t.process.address)
	if err != nil {
		return err
	}
	defer c.Close()
	buffer := make([]byte, loadclient.BufferSize)
	for _, request := range requests[:runs] {
		body, err := c.Do(request)
		if err != nil {
			return err
		}
		events, err := loadclient.CountEvents(body, buffer)
		if err != nil {
			return err
		}
		if err := t.checkEvents(events, deltas); err != nil {
			return err
		}
	}
	return nil
}
