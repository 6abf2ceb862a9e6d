package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// writeCount is what a database has written so far.
type writeCount struct {
	// transactions are those that were committed.
	transactions int64
	// changes are rows in PostgreSQL and pages of the write-ahead log in SQLite.
	changes int64
}

// measureWrites counts what runs write, with few deltas and with many.
func measureWrites(ctx context.Context, l *lab) error {
	t := table{head: []string{"database", "deltas a run", "transactions a run", "rows (SQLite: WAL pages) a run"}}
	for _, e := range engines() {
		if err := l.writesOn(ctx, e, &t); err != nil {
			return err
		}
	}
	l.report.part("Writes of a run",
		fmt.Sprintf("%d runs one after another, each in a session of its own; what a server that does nothing writes at "+
			"its start and end is taken off. Transactions of PostgreSQL include those that only read.", l.size.writeRuns), t)
	return nil
}

func (l *lab) writesOn(ctx context.Context, e engine, t *table) (err error) {
	databaseURL, err := l.newDatabase(ctx, e)
	if err != nil {
		return err
	}
	read, done, err := openWriteCount(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	// Sessions are made by every life, so that they are taken off too.
	life := func(runs, deltas int) (writeCount, error) {
		l.progressf("writes: %s, %d runs of %d deltas", e, runs, deltas)
		return l.writesOfLife(ctx, databaseURL, read, runs, deltas)
	}
	idle, err := life(0, l.size.writeFew)
	if err != nil {
		return err
	}
	var transactions []float64
	for _, deltas := range []int{l.size.writeFew, l.size.writeMany} {
		busy, err := life(l.size.writeRuns, deltas)
		if err != nil {
			return err
		}
		runs := float64(l.size.writeRuns)
		transactions = append(transactions, float64(busy.transactions-idle.transactions)/runs)
		t.add(string(e), strconv.Itoa(deltas), fmt.Sprintf("%.2f", transactions[len(transactions)-1]),
			fmt.Sprintf("%.2f", float64(busy.changes-idle.changes)/runs))
	}
	l.report.aim(fmt.Sprintf("transactions a run of %d and of %d deltas, %s", l.size.writeFew, l.size.writeMany, e),
		fmt.Sprintf("%.2f, %.2f", transactions[0], transactions[1]), "2", transactions[1] < 2.5)
	return nil
}

// writesOfLife starts the server, makes runs and stops it: PostgreSQL counts
// for sure only what ended connections did.
func (l *lab) writesOfLife(
	ctx context.Context, databaseURL string, read func(context.Context) (writeCount, error), runs, deltas int,
) (writeCount, error) {
	before, err := read(ctx)
	if err != nil {
		return writeCount{}, err
	}
	w, err := l.startServer(ctx, databaseURL)
	if err != nil {
		return writeCount{}, err
	}
	err = runOneByOne(ctx, w, l.size.writeRuns, runs, deltas)
	if err = errors.Join(err, w.process.stop()); err != nil {
		return writeCount{}, err
	}
	after, err := read(ctx)
	return writeCount{after.transactions - before.transactions, after.changes - before.changes}, err
}

// runOneByOne makes sessions, and runs in the first of them.
func runOneByOne(ctx context.Context, w *way, sessions, runs, deltas int) error {
	requests, err := w.requests(ctx, sessions, answer{Deltas: deltas})
	if err != nil {
		return err
	}
	c, err := dial(ctx, w.process.address)
	if err != nil {
		return err
	}
	defer c.close()
	buffer := make([]byte, clientBuffer)
	for _, request := range requests[:runs] {
		body, err := c.ask(request)
		if err != nil {
			return err
		}
		events, err := countEvents(body, buffer)
		if err != nil {
			return err
		}
		if err := w.checkEvents(events, deltas); err != nil {
			return err
		}
	}
	return nil
}
