package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"
)

// measureRequests asks for lists and histories.
func measureRequests(ctx context.Context, l *lab) error {
	t := table{head: []string{
		"what", "way", "requests a second", "of the handler's", "p50", "p99", "CPU µs a request", "handler's share of it",
	}}
	for _, e := range engines() {
		if err := l.requestsOn(ctx, e, &t); err != nil {
			return err
		}
	}
	l.report.part("List and history",
		fmt.Sprintf("%d clients on kept connections, %s a round, %d rounds; a list has %d sessions, a history %d messages. "+
			"The bare handler runs the same statements through database/sql and encoding/json and checks no token.",
			l.size.clients, l.size.requestTime, l.size.rounds, sessionsEach, messagesEach), t)
	return nil
}

func (l *lab) requestsOn(ctx context.Context, e engine, t *table) (err error) {
	s, err := l.seed(ctx, e, l.size.fewSessions)
	if err != nil {
		return err
	}
	ours, err := l.serverReader(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.process.stop()) }()
	bare, err := handlerReader(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.process.stop()) }()
	for _, kind := range kinds() {
		if err := sameAnswer(ctx, ours, bare, kind); err != nil {
			return err
		}
		var our, base loaded
		for round := range l.size.rounds + 1 {
			if round == 1 { // the first was a warm-up
				our, base = loaded{}, loaded{}
			}
			l.progressf("requests: %s, %s, round %d of %d", e, kind, round, l.size.rounds)
			if err := errors.Join(l.ask(ctx, ours, kind, &our), l.ask(ctx, bare, kind, &base)); err != nil {
				return err
			}
		}
		share := ratio(our.rates, base.rates)
		cells := func(name string, of loaded) []string {
			s := medianSpread(of.spreads)
			return []string{
				kind, name, thousands(median(of.rates)), "", milliseconds(s.p50), milliseconds(s.p99),
				fmt.Sprintf("%.0f", of.perRequest()), "",
			}
		}
		row := cells(ours.name, our)
		row[3], row[7] = percent(share), percent(base.perRequest()/our.perRequest())
		t.add(row...)
		t.add(cells(bare.name, base)...)
		l.report.aim(fmt.Sprintf("%s requests of the bare handler's rate, %s", kind, e), percent(share),
			"60 % or more", share >= 0.6)
	}
	return nil
}

// perRequest is the CPU time of a request in microseconds.
func (l *loaded) perRequest() float64 {
	return float64(l.cpu) / float64(time.Microsecond) / float64(max(l.count, 1))
}

// sameAnswer sees that both do the same work.
func sameAnswer(ctx context.Context, ours, bare *reader, kind string) error {
	var said [2]any
	for n, r := range []*reader{ours, bare} {
		c, err := dial(ctx, r.process.address)
		if err != nil {
			return err
		}
		body, err := c.ask(r.requests(kind)[0])
		if err == nil {
			err = json.NewDecoder(body).Decode(&said[n])
		}
		c.close()
		if err != nil {
			return fmt.Errorf("%s, %s: %w", r.name, kind, err)
		}
	}
	if !reflect.DeepEqual(said[0], said[1]) {
		return fmt.Errorf("the %s of %s is not that of %s: %v and %v", kind, ours.name, bare.name, said[0], said[1])
	}
	return nil
}
