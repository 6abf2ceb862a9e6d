package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/bench/database"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/loadclient"
)

// measureRequests compares the server with the bare handler on lists and
// histories.
func measureRequests(ctx context.Context, b *bench) error {
	results := table{header: []string{
		"what", "target", "requests a second", "of the handler's", "p50", "p99", "CPU µs a request", "handler's share of it",
	}}
	for _, e := range database.Engines() {
		if err := b.measureRequestsOn(ctx, e, &results); err != nil {
			return err
		}
	}
	b.report.addSection("List and history",
		fmt.Sprintf("%d clients on kept-alive connections, %s a round, %d rounds; a list has %d sessions, a history %d messages. "+
			"The bare handler runs the same statements through database/sql and encoding/json and checks no token.",
			b.scale.clients, b.scale.requestTime, b.scale.rounds, sessionsEach, messagesEach), results)
	return nil
}

func (b *bench) measureRequestsOn(ctx context.Context, e database.Engine, results *table) (err error) {
	s, err := b.seed(ctx, e, b.scale.fewSessions)
	if err != nil {
		return err
	}
	ours, err := b.startLoadedServer(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.process.stop()) }()
	bare, err := startLoadedHandler(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.process.stop()) }()
	for _, kind := range kinds() {
		if err := compareAnswers(ctx, ours, bare, kind); err != nil {
			return err
		}
		var ourResult, bareResult loadResult
		for round := range b.scale.rounds + 1 {
			if round == 1 { // the first was a warm-up
				ourResult, bareResult = loadResult{}, loadResult{}
			}
			b.progressf("requests: %s, %s, round %d of %d", e, kind, round, b.scale.rounds)
			if err := errors.Join(b.measureLoad(ctx, ours, kind, &ourResult), b.measureLoad(ctx, bare, kind, &bareResult)); err != nil {
				return err
			}
		}
		share := ratio(ourResult.rates, bareResult.rates)
		cells := func(name string, result loadResult) []string {
			s := medianSpread(result.spreads)
			return []string{
				kind, name, thousands(median(result.rates)), "", milliseconds(s.p50), milliseconds(s.p99),
				fmt.Sprintf("%.0f", result.perRequest()), "",
			}
		}
		row := cells(ours.name, ourResult)
		row[3], row[7] = percent(share), percent(bareResult.perRequest()/ourResult.perRequest())
		results.add(row...)
		results.add(cells(bare.name, bareResult)...)
		b.report.addAim(fmt.Sprintf("%s requests of the bare handler's rate, %s", kind, e), percent(share),
			"60 % or more", share >= 0.6)
	}
	return nil
}

// perRequest returns the CPU time of a request in microseconds.
func (r *loadResult) perRequest() float64 {
	return float64(r.cpu) / float64(time.Microsecond) / float64(max(r.count, 1))
}

// compareAnswers checks that both give the same answer.
func compareAnswers(ctx context.Context, ours, bare *loadTarget, kind string) error {
	var answers [2]any
	for n, t := range []*loadTarget{ours, bare} {
		c, err := loadclient.Dial(ctx, t.process.address)
		if err != nil {
			return err
		}
		body, err := c.Do(t.requests[kind][0])
		if err == nil {
			err = json.NewDecoder(body).Decode(&answers[n])
		}
		c.Close()
		if err != nil {
			return fmt.Errorf("%s, %s: %w", t.name, kind, err)
		}
	}
	if !reflect.DeepEqual(answers[0], answers[1]) {
		return fmt.Errorf("the %s of %s is not that of %s: %v and %v", kind, ours.name, bare.name, answers[0], answers[1])
	}
	return nil
}
