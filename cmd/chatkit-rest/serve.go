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

// saveGrace is the time that a stop may take beyond SHUTDOWN_TIMEOUT, to save
// the runs that were cut off and to send the last answers.
const saveGrace = 15 * time.Second

// serve runs the server until ctx ends, then stops it gracefully.
func serve(ctx context.Context, p process, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	demo := flags.Bool("demo", false, "answer with a built-in replacement for a model; needs no key")
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

	if err := checkListen(ctx, settings); err != nil {
		return err // before the database is changed
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
	if err := a.newHTTPServer(ctx, settings, listener.Addr().String()); err != nil {
		_ = listener.Close()
		return err
	}
	if err := a.serveMetrics(ctx, settings.MetricsAddr); err != nil {
		_ = listener.Close()
		return err
	}
	if err := a.service.Start(ctx); err != nil {
		_ = listener.Close()
		return fmt.Errorf("start the service: %w", err)
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
		if err := printDemoInstructions(context.WithoutCancel(ctx), p.stdout, a, settings, listener.Addr()); err != nil {
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

// The settings of the listeners, as error texts name them.
const (
	publicSetting  = "HOST and PORT"
	metricsSetting = "METRICS_ADDR"
)

// checkListen checks that the server can listen on its addresses, and closes the
// listeners again: a client that connected now would wait until the migrations
// are done.
func checkListen(ctx context.Context, settings config.Settings) error {
	addresses := map[string]string{publicSetting: settings.ListenAddress()}
	if settings.MetricsAddr != "" {
		addresses[metricsSetting] = settings.MetricsAddr
	}
	var errs []error
	for _, setting := range slices.Sorted(maps.Keys(addresses)) {
		listener, err := listen(ctx, setting, addresses[setting])
		if err == nil {
			err = listener.Close()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// listen opens the listener of a setting.
func listen(ctx context.Context, setting, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", setting, err)
	}
	return listener, nil
}

// stop closes the listener, lets the running answers continue for the given time,
// saves those that have not ended by then, and waits until the answers are sent.
func (a *assembly) stop(ctx context.Context, timeout time.Duration) error {
	a.logger.InfoContext(ctx, "stopping; running answers may continue until the timeout", "timeout", timeout)
	ctx, cancel := context.WithTimeout(ctx, timeout+saveGrace)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- a.http.Shutdown(ctx) }()

	drain, cancelDrain := context.WithTimeout(ctx, timeout)
	defer cancelDrain()
	if err := a.service.Shutdown(drain); err != nil {
		a.logger.WarnContext(ctx, "running answers were cut off and saved as they were")
	}
	if err := <-closed; err != nil && !errors.Is(err, http.ErrServerClosed) {
		a.logger.WarnContext(ctx, "connections were closed before their answers were sent", "error", err)
		_ = a.http.Close()
	}
	a.logger.InfoContext(ctx, "stopped")
	return nil
}
