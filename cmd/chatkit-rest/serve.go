package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// saveGrace is what a stop takes beyond SHUTDOWN_TIMEOUT at most: the runs
// that were cut are saved, and the last answers leave.
const saveGrace = 15 * time.Second

// serve runs the server until ctx ends, then stops it gracefully.
func serve(ctx context.Context, p process, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	demo := flags.Bool("demo", false, "answer by a built-in stand-in for a model; needs no key")
	migrate := flags.Bool("migrate", false, "bring the database's schema up to date first")
	if ok, err := parse(p, flags, args); !ok {
		return err
	}
	settings, err := loadSettings(p, config.Options{Demo: *demo})
	if err != nil {
		return err
	}
	logger := newLogger(p.stderr, settings)
	slog.SetDefault(logger)

	if err := canListen(ctx, settings); err != nil {
		return err // before the database is touched
	}
	a, err := assemble(ctx, settings, logger, *migrate)
	if err != nil {
		return err
	}
	defer a.close()
	listener, err := listen(ctx, publicSetting, settings.ListenAddress())
	if err != nil {
		return err
	}
	if err := a.mount(ctx, settings, listener.Addr().String()); err != nil {
		_ = listener.Close()
		return err
	}
	if err := a.serveMetrics(ctx, settings.MetricsAddr); err != nil {
		_ = listener.Close()
		return err
	}
	if err := a.service.Start(ctx); err != nil {
		_ = listener.Close()
		return fmt.Errorf("start: %w", err)
	}
	if p.getenv("GOGC") == "" {
		go returnMemory(ctx, a.service.Live)
	}
	served := make(chan error, 1)
	go func() { served <- a.http.Serve(listener) }()
	logger.InfoContext(ctx, "listening", "address", listener.Addr().String(), "version", version,
		"database", settings.Database.Driver, "pid", os.Getpid())
	if settings.RateLimitPerMinute == 0 {
		logger.WarnContext(ctx, "RATE_LIMIT_PER_MINUTE is 0: NO RATE LIMIT, any address may send any number of requests")
	}
	if *demo {
		if err := welcome(context.WithoutCancel(ctx), p.stdout, a, settings, listener.Addr()); err != nil {
			return errors.Join(err, a.stop(context.WithoutCancel(ctx), 0))
		}
	}
	select {
	case err := <-served:
		return errors.Join(fmt.Errorf("serve: %w", err), a.stop(context.WithoutCancel(ctx), settings.ShutdownTimeout))
	case <-ctx.Done():
	}
	return a.stop(context.WithoutCancel(ctx), settings.ShutdownTimeout)
}

// The settings that say where the server listens.
const (
	publicSetting  = "HOST and PORT"
	metricsSetting = "METRICS_ADDR"
)

// canListen tries where the server will listen. Nobody is let in yet: a client
// that came now would wait for as long as the migrations take.
func canListen(ctx context.Context, settings config.Settings) error {
	places := map[string]string{publicSetting: settings.ListenAddress()}
	if settings.MetricsAddr != "" {
		places[metricsSetting] = settings.MetricsAddr
	}
	var faults []error
	for _, setting := range slices.Sorted(maps.Keys(places)) {
		listener, err := listen(ctx, setting, places[setting])
		if err == nil {
			err = listener.Close()
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

func listen(ctx context.Context, setting, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", setting, err)
	}
	return listener, nil
}

// stop takes no new runs, lets the live ones go on for the given time, saves
// what the rest has, and lets the last answers leave.
func (a *assembly) stop(ctx context.Context, timeout time.Duration) error {
	a.logger.InfoContext(ctx, "stopping; running answers get up to the stated time", "timeout", timeout)
	ctx, cancel := context.WithTimeout(ctx, timeout+saveGrace)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- a.http.Shutdown(ctx) }()

	drain, cancelDrain := context.WithTimeout(ctx, timeout)
	defer cancelDrain()
	if err := a.service.Shutdown(drain); err != nil {
		a.logger.WarnContext(ctx, "running answers were cut and saved as they stood")
	}
	if err := <-closed; err != nil && !errors.Is(err, http.ErrServerClosed) {
		a.logger.WarnContext(ctx, "connections were closed before their answers were sent", "error", err)
		_ = a.http.Close()
	}
	a.logger.InfoContext(ctx, "stopped")
	return nil
}
