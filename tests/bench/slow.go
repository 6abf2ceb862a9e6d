package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// measureSlowReader relays streams beside one that is read, and beside one
// that is not.
func measureSlowReader(ctx context.Context, l *lab) (err error) {
	t := table{head: []string{"way", "all read, deltas a second", "one reader stuck", "ratio"}}
	for _, e := range engines() {
		w, err := l.startFresh(ctx, e)
		if err != nil {
			return err
		}
		err = l.besideStuckReader(ctx, w, &t)
		if err = errors.Join(err, w.process.stop()); err != nil {
			return err
		}
	}
	l.report.part("A stuck reader",
		fmt.Sprintf("%d streams of %s deltas each, beside one more that has had %s deltas and continues slowly; "+
			"its reader takes all of them, or none.",
			l.size.slowStreams, thousands(float64(l.size.slowDeltas)), thousands(float64(l.size.stuckDeltas))), t)
	return nil
}

func (l *lab) besideStuckReader(ctx context.Context, w *way, t *table) error {
	var read, stuck []float64
	for round := range l.size.rounds {
		l.progressf("slow: round %d of %d, %s", round+1, l.size.rounds, w.name)
		for _, isStuck := range []bool{false, true} {
			rate, err := l.besideReader(ctx, w, isStuck)
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
	t.add(w.name, thousands(median(read)), thousands(median(stuck)), percent(share))
	l.report.aim("rate beside a stuck reader, "+w.short(), percent(share),
		"about 100 %", share > 0.9)
	return nil
}

func (l *lab) besideReader(ctx context.Context, w *way, stuck bool) (float64, error) {
	requests, err := w.requests(ctx, 1, answer{
		Deltas: 1 << 20, Burst: l.size.stuckDeltas, Pace: l.size.livePace, Block: 20,
	})
	if err != nil {
		return 0, err
	}
	c, err := dial(ctx, w.process.address)
	if err != nil {
		return 0, err
	}
	defer c.close()
	if tcp, ok := c.conn.(*net.TCPConn); ok && stuck {
		if err := tcp.SetReadBuffer(4 << 10); err != nil {
			return 0, fmt.Errorf("make a slow reader: %w", err)
		}
	}
	before, err := l.bursts(ctx)
	if err != nil {
		return 0, err
	}
	if _, err := c.conn.Write(requests[0]); err != nil {
		return 0, fmt.Errorf("send a request: %w", err)
	}
	if !stuck {
		go drain(c)
	}
	if err := l.awaitBurst(ctx, before); err != nil {
		return 0, fmt.Errorf("%s: %w", w.name, err)
	}
	round, err := relay(ctx, w, l.size.slowStreams, answer{First: relayDelay, Deltas: l.size.slowDeltas})
	if err != nil {
		return 0, err
	}
	return round.rates[0], nil
}

// drain reads until the connection is closed.
func drain(c *client) {
	buffer := make([]byte, clientBuffer)
	for {
		if _, err := c.conn.Read(buffer); err != nil {
			return
		}
	}
}

// bursts is how many bursts the upstream has written to their end.
func (l *lab) bursts(ctx context.Context) (int, error) {
	text, err := getBody(ctx, l.upstream.address, "/bursts")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// awaitBurst waits until the upstream has got rid of one more burst: then a
// reader that takes nothing is stuck behind it.
func (l *lab) awaitBurst(ctx context.Context, before int) error {
	ctx, cancel := context.WithTimeout(ctx, streamPatience)
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		now, err := l.bursts(ctx)
		if err != nil {
			return err
		}
		if now > before {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return errors.New("the upstream could not get rid of its deltas: a stuck reader holds them up")
		}
	}
}
