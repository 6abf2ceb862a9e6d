package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/postgres"
)

// lab is what the measurements share.
type lab struct {
	size     sizes
	report   report
	tokens   tokens
	upstream *process

	program   string // the server's
	folder    string
	postgres  *postgres.Server
	databases int
	seeds     map[string]*seeded // by engine and number of sessions
	progress  io.Writer
	started   time.Time
}

func newLab(ctx context.Context, program string, size sizes, progress io.Writer) (*lab, error) {
	folder, err := os.MkdirTemp("", "chatkit-rest-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	l := &lab{
		size: size, program: program, folder: folder, progress: progress, started: time.Now(),
		tokens: tokens{secret: rand.Text() + rand.Text()}, seeds: make(map[string]*seeded),
	}
	if l.postgres, err = postgres.Start(ctx); err != nil {
		return nil, errors.Join(err, l.close()) //nolint:contextcheck // what was begun is ended even so
	}
	if l.upstream, err = startRole(ctx, upstreamRole); err != nil {
		return nil, errors.Join(err, l.close()) //nolint:contextcheck // what was begun is ended even so
	}
	return l, nil
}

func (l *lab) close() error {
	var err error
	if l.upstream != nil {
		err = l.upstream.stop()
	}
	if l.postgres != nil {
		err = errors.Join(err, l.postgres.Stop())
	}
	return errors.Join(err, os.RemoveAll(l.folder))
}

// progressf reports what is being measured.
func (l *lab) progressf(format string, args ...any) {
	elapsed := time.Since(l.started).Round(time.Second)
	_, _ = fmt.Fprintf(l.progress, "%6s  %s\n", elapsed, fmt.Sprintf(format, args...))
}

// newDatabase makes a database with the server's tables and returns its URL.
func (l *lab) newDatabase(ctx context.Context, e engine) (string, error) {
	databaseURL := sqliteScheme + filepath.Join(l.folder, fmt.Sprintf("%d.db", l.databases))
	l.databases++
	if e == postgreSQL {
		var err error
		if databaseURL, err = l.postgres.NewDatabase(ctx); err != nil {
			return "", err
		}
	}
	cmd := exec.CommandContext(ctx, l.program, "migrate", "up") //nolint:gosec // the program that is measured
	cmd.Dir, cmd.Env = l.folder, append(environment(), l.settings(databaseURL)...)
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("migrate: %w: %s", err, output)
	}
	return databaseURL, nil
}

func (l *lab) settings(databaseURL string) []string {
	return []string{
		"DATABASE_URL=" + databaseURL,
		"JWT_SECRET=" + l.tokens.secret,
		"OPENROUTER_API_KEY=bench",
		"OPENROUTER_BASE_URL=http://" + l.upstream.address + "/api/v1",
		"OPENROUTER_MODEL=bench/model",
		"RATE_LIMIT_PER_MINUTE=0",
		"LOG_LEVEL=warn",
		"SHUTDOWN_TIMEOUT=0s", // what runs still when a measurement is over is not wanted
	}
}

// startServer starts the server on a database, with further settings.
func (l *lab) startServer(ctx context.Context, databaseURL string, more ...string) (*way, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	env := slices.Concat(l.settings(databaseURL), []string{"HOST=" + host, "PORT=" + port}, more)
	p, err := startServer(ctx, l.program, l.folder, address, env)
	if err != nil {
		return nil, err
	}
	return serverWay("this server, "+string(engineOf(databaseURL)), p, &l.tokens), nil
}

// startFresh starts the server on a new database.
func (l *lab) startFresh(ctx context.Context, e engine) (*way, error) {
	databaseURL, err := l.newDatabase(ctx, e)
	if err != nil {
		return nil, err
	}
	return l.startServer(ctx, databaseURL)
}

func (l *lab) startProxy(ctx context.Context) (*way, error) {
	p, err := startRole(ctx, proxyRole, upstreamVariable+"=http://"+l.upstream.address)
	if err != nil {
		return nil, err
	}
	return proxyWay(p), nil
}

// startWays starts the server on each engine, and the proxy, which is last.
func (l *lab) startWays(ctx context.Context) ([]*way, error) {
	var ways []*way
	for _, e := range engines() {
		w, err := l.startFresh(ctx, e)
		if err != nil {
			return nil, errors.Join(err, stopAll(ways))
		}
		ways = append(ways, w)
	}
	proxy, err := l.startProxy(ctx)
	if err != nil {
		return nil, errors.Join(err, stopAll(ways))
	}
	return append(ways, proxy), nil
}

func stopAll(ways []*way) error {
	var err error
	for _, w := range ways {
		err = errors.Join(err, w.process.stop())
	}
	return err
}

func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// describe notes on what machine and with what the figures are made.
func (l *lab) describe(ctx context.Context) error {
	var versions []string
	for _, e := range engines() {
		databaseURL, err := l.newDatabase(ctx, e)
		if err != nil {
			return err
		}
		text, err := version(ctx, databaseURL)
		if err != nil {
			return fmt.Errorf("ask %s for its version: %w", e, err)
		}
		versions = append(versions, string(e)+" "+text)
	}
	sync, err := syncTime(l.folder)
	if err != nil {
		return err
	}
	l.report.machine(strings.Join(versions, ", "), sync)
	return nil
}
