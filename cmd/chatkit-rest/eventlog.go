package main

import (
	"context"
	"fmt"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/eventlog"
)

// closeLogTimeout bounds the copying of the last events to Redis when the server
// stops.
const closeLogTimeout = 2 * time.Second

// newEventLog makes the log of the runs' events: shared by all replicas with
// REDIS_URL, otherwise in memory.
func (a *assembly) newEventLog(settings config.Settings) (chat.EventLog, error) {
	options := eventlog.Options{TTL: settings.RunLogTTL, MaxBytes: settings.RunLogMaxBytes}
	if !settings.RedisURL.IsSet() {
		return eventlog.NewMemory(options), nil
	}
	shared, err := eventlog.NewRedis(eventlog.RedisOptions{
		URL: settings.RedisURL.Reveal(), Memory: options, RunTime: settings.RunMaxTime, Logger: a.logger,
	})
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	a.closers = append(a.closers, func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeLogTimeout)
		defer cancel()
		if err := shared.Close(ctx); err != nil {
			a.logger.WarnContext(ctx, "closing the event log failed", "error", err)
		}
	})
	return shared, nil
}
