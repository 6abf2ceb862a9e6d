package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/tests/bench/database"
)

// measureDatabaseSize compares the same requests on a small and on a large
// database.
func measureDatabaseSize(ctx context.Context, b *bench) error {
	results := table{header: []string{"what", "database", "sessions", "requests a second", "p50", "p99", "rate of the small database's"}}
	for _, e := range database.Engines() {
		if err := b.compareDatabaseSizes(ctx, e, &results); err != nil {
			return err
		}
	}
	b.report.addSection("Sessions in the database",
		fmt.Sprintf("The server on two databases with different numbers of sessions. %d clients request the sessions of "+
			"%d users with %d each, whose rows are far apart.", b.scale.clients, sampleUsers, sessionsEach), results)
	return nil
}

func (b *bench) compareDatabaseSizes(ctx context.Context, e database.Engine, results *table) (err error) {
	sessions := []int{b.scale.fewSessions, b.scale.manySessions}
	targets := make([]*loadTarget, len(sessions))
	for n, count := range sessions {
		s, err := b.seed(ctx, e, count)
		if err != nil {
			return err
		}
		if targets[n], err = b.startLoadedServer(ctx, s); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, targets[n].process.stop()) }()
	}
	for _, kind := range kinds() {
		loads := make([]loadResult, len(sessions))
		for round := range b.scale.rounds + 1 {
			if round == 1 { // the first was a warm-up
				clear(loads)
			}
			b.progressf("size: %s, %s, round %d of %d", e, kind, round, b.scale.rounds)
			for n, t := range targets {
				if err := b.measureLoad(ctx, t, kind, &loads[n]); err != nil {
					return err
				}
			}
		}
		share := ratio(loads[1].rates, loads[0].rates)
		for n, count := range sessions {
			s := medianSpread(loads[n].spreads)
			cells := []string{
				kind, string(e), thousands(float64(count)), thousands(median(loads[n].rates)),
				milliseconds(s.p50), milliseconds(s.p99), "",
			}
			if n == 1 {
				cells[len(cells)-1] = percent(share)
			}
			results.add(cells...)
		}
		b.report.addAim(fmt.Sprintf("%s requests with %s sessions of the rate with %s, %s", kind,
			thousands(float64(sessions[1])), thousands(float64(sessions[0])), e), percent(share), "about 100 %", share > 0.9)
	}
	return nil
}
