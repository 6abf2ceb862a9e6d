package main

import (
	"context"
	"errors"
	"fmt"
)

// measureSize asks for the same in a small database and in a large one.
func measureSize(ctx context.Context, l *lab) error {
	t := table{head: []string{"what", "database", "sessions", "requests a second", "p50", "p99", "rate of the small one's"}}
	for _, e := range engines() {
		if err := l.sizeOn(ctx, e, &t); err != nil {
			return err
		}
	}
	l.report.part("Sessions in the database",
		fmt.Sprintf("The server on two databases that differ in the number of their sessions; %d clients ask for those of "+
			"%d users, %d each, whose rows lie far apart.", l.size.clients, sampleUsers, sessionsEach), t)
	return nil
}

func (l *lab) sizeOn(ctx context.Context, e engine, t *table) (err error) {
	sessions := []int{l.size.fewSessions, l.size.manySessions}
	readers := make([]*reader, len(sessions))
	for n, count := range sessions {
		s, err := l.seed(ctx, e, count)
		if err != nil {
			return err
		}
		if readers[n], err = l.serverReader(ctx, s); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, readers[n].process.stop()) }()
	}
	for _, kind := range kinds() {
		found := make([]loaded, len(sessions))
		for round := range l.size.rounds + 1 {
			if round == 1 { // the first was a warm-up
				clear(found)
			}
			l.progressf("size: %s, %s, round %d of %d", e, kind, round, l.size.rounds)
			for n, r := range readers {
				if err := l.ask(ctx, r, kind, &found[n]); err != nil {
					return err
				}
			}
		}
		share := ratio(found[1].rates, found[0].rates)
		for n, count := range sessions {
			s := medianSpread(found[n].spreads)
			cells := []string{
				kind, string(e), thousands(float64(count)), thousands(median(found[n].rates)),
				milliseconds(s.p50), milliseconds(s.p99), "",
			}
			if n == 1 {
				cells[len(cells)-1] = percent(share)
			}
			t.add(cells...)
		}
		l.report.aim(fmt.Sprintf("%s requests with %s sessions of the rate with %s, %s", kind,
			thousands(float64(sessions[1])), thousands(float64(sessions[0])), e), percent(share), "about 100 %", share > 0.9)
	}
	return nil
}
