package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/bench/database"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/loadclient"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/script"
)

// measureSlowReader compares the rate of streams beside a stream whose client
// reads with the rate beside one whose client does not.
func measureSlowReader(ctx context.Context, b *bench) (err error) {
	results := table{header: []string{"target", "all read: deltas a second", "one stuck: deltas a second", "ratio"}}
	for _, e := range database.Engines() {
		t, err := b.startServerOnNewDatabase(ctx, e)
		if err != nil {
			return err
		}
		err = b.compareStuckReader(ctx, t, &results)
		if err = errors.Join(err, t.process.stop()); err != nil {
			return err
		}
	}
	b.report.addSection("A stuck reader",
		fmt.Sprintf("%d streams of %s deltas each, beside one more stream with a burst of %s deltas, then one every %s. "+
			"The client of that stream reads all of it, or nothing.",
			b.scale.slowStreams, thousands(float64(b.scale.slowDeltas)), thousands(float64(b.scale.stuckDeltas)), b.scale.livePace), results)
	return nil
}

func (b *bench) compareStuckReader(ctx context.Context, t *target, results *table) error {
	var read, stuck []float64
	for round := range b.scale.rounds {
		b.progressf("slow: round %d of %d, %s", round+1, b.scale.rounds, t.name)
		for _, isStuck := range []bool{false, true} {
			rate, err := b.rateBesideReader(ctx, t, isStuck)
			if err != nil {
				return err
			}
			if isStuck {
				stuck = append(stuck, rate)
			} else {
				read = append(read, rate)
			}
		}
	}
	share := ratio(stuck, read)
	results.add(t.name, thousands(median(read)), thousands(median(stuck)), percent(share))
	b.report.addAim("rate beside a stuck reader, "+t.short(), percent(share),
		"about 100 %", share > 0.9)
	return nil
}

func (b *bench) rateBesideReader(ctx context.Context, t *target, stuck bool) (float64, error) {
	requests, err := t.requests(ctx, 1, script.Answer{
		Deltas: 1 << 20, Burst: b.scale.stuckDeltas, Pace: b.scale.livePace, Block: 20,
	})
	if err != nil {
		return 0, err
	}
	c, err := loadclient.Dial(ctx, t.process.address)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if stuck {
		if err := c.SetReceiveBuffer(4 << 10); err != nil {
			return 0, fmt.Errorf("reduce the receive buffer: %w", err)
		}
	}
	before, err := b.burstsWritten(ctx)
	if err != nil {
		return 0, err
	}
	if err := c.Send(requests[0]); err != nil {
		return 0, err
	}
	if !stuck {
		go c.Discard()
	}
	if err := b.awaitBurst(ctx, before); err != nil {
		return 0, fmt.Errorf("%s: %w", t.name, err)
	}
	round, err := relay(ctx, t, b.scale.slowStreams, script.Answer{First: relayDelay, Deltas: b.scale.slowDeltas})
	if err != nil {
		return 0, err
	}
	return round.rates[0], nil
}

// burstsWritten returns the number of bursts that the upstream has written
// completely.
func (b *bench) burstsWritten(ctx context.Context) (int, error) {
	text, err := loadclient.Get(ctx, b.upstream.address, "/bursts")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// awaitBurst waits until the upstream has written one more burst completely. By
// then a client that does not read is behind by the whole burst.
func (b *bench) awaitBurst(ctx context.Context, before int) error {
	ctx, cancel := context.WithTimeout(ctx, streamStartTimeout)
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		now, err := b.burstsWritten(ctx)
		if err != nil {
			return err
		}
		if now > before {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return errors.New("the upstream could not write its burst: a client that does not read blocks it")
		}
	}
}
