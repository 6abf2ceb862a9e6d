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

	"github.com/chatkit-rest/chatkit-rest/tests/bench/database"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/role"
	"github.com/chatkit-rest/chatkit-rest/tests/postgres"
)

// bench has what the measurements share.
type bench struct {
	scale    scale
	report   report
	tokens   tokens
	upstream *process

	program   string // the path of the server's program
	folder    string
	postgres  *postgres.Server
	databases int
	seeded    map[string]*seededDatabase // by engine and number of sessions
	progress  io.Writer
	started   time.Time
}

func newBench(ctx context.Context, program string, scale scale, progress io.Writer) (*bench, error) {
	folder, err := os.MkdirTemp("", "chatkit-rest-bench-")
	if err != nil {
		return nil, fmt.Errorf("create a folder: %w", err)
	}
	b := &bench{
		scale: scale, program: program, folder: folder, progress: progress, started: time.Now(),
		tokens: tokens{secret: rand.Text() + rand.Text()}, seeded: make(map[string]*seededDatabase),
	}
	if b.postgres, err = postgres.Start(ctx); err != nil {
		return nil, errors.Join(err, b.close()) //nolint:contextcheck // the parts are stopped even so
	}
	if b.upstream, err = startRole(ctx, role.Upstream); err != nil {
		return nil, errors.Join(err, b.close()) //nolint:contextcheck // the parts are stopped even so
	}
	return b, nil
}

func (b *bench) close() error {
	var err error
	if b.upstream != nil {
		err = b.upstream.stop()
	}
	if b.postgres != nil {
		err = errors.Join(err, b.postgres.Stop())
	}
	return errors.Join(err, os.RemoveAll(b.folder))
}

// progressf reports what is being measured.
func (b *bench) progressf(format string, args ...any) {
	elapsed := time.Since(b.started).Round(time.Second)
	_, _ = fmt.Fprintf(b.progress, "%6s  %s\n", elapsed, fmt.Sprintf(format, args...))
}

// newDatabase creates a database with the server's tables and returns its URL.
func (b *bench) newDatabase(ctx context.Context, e database.Engine) (string, error) {
	databaseURL := database.SQLiteURL(filepath.Join(b.folder, fmt.Sprintf("%d.db", b.databases)))
	b.databases++
	if e == database.PostgreSQL {
		var err error
		if databaseURL, err = b.postgres.NewDatabase(ctx); err != nil {
			return "", err
		}
	}
	cmd := exec.CommandContext(ctx, b.program, "migrate", "up") //nolint:gosec // the measured program
	cmd.Dir, cmd.Env = b.folder, append(environment(), b.settings(databaseURL)...)
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("migrate: %w: %s", err, output)
	}
	return databaseURL, nil
}

func (b *bench) settings(databaseURL string) []string {
	return []string{
		"DATABASE_URL=" + databaseURL,
		"JWT_SECRET=" + b.tokens.secret,
		"OPENROUTER_API_KEY=bench",
		"OPENROUTER_BASE_URL=http://" + b.upstream.address + "/api/v1",
		"OPENROUTER_MODEL=bench/model",
		"RATE_LIMIT_PER_MINUTE=0",
		"LOG_LEVEL=warn",
		"SHUTDOWN_TIMEOUT=0s", // do not wait for runs when a measurement has ended
	}
}

// startServer starts the server on a database, with additional settings.
func (b *bench) startServer(ctx context.Context, databaseURL string, more ...string) (*target, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	env := slices.Concat(b.settings(databaseURL), []string{"HOST=" + host, "PORT=" + port}, more)
	p, err := startServer(ctx, b.program, b.folder, address, env)
	if err != nil {
		return nil, err
	}
	return serverTarget("this server, "+string(database.EngineOf(databaseURL)), p, &b.tokens), nil
}

// startServerOnNewDatabase starts the server on a new database.
func (b *bench) startServerOnNewDatabase(ctx context.Context, e database.Engine) (*target, error) {
	databaseURL, err := b.newDatabase(ctx, e)
	if err != nil {
		return nil, err
	}
	return b.startServer(ctx, databaseURL)
}

func (b *bench) startProxy(ctx context.Context) (*target, error) {
	p, err := startRole(ctx, role.Proxy, role.UpstreamVariable+"=http://"+b.upstream.address)
	if err != nil {
		return nil, err
	}
	return proxyTarget(p), nil
}

// startTargets starts the server on each engine, and the proxy, which is the
// last in the list.
func (b *bench) startTargets(ctx context.Context) ([]*target, error) {
	var targets []*target
	for _, e := range database.Engines() {
		t, err := b.startServerOnNewDatabase(ctx, e)
		if err != nil {
			return nil, errors.Join(err, stopAll(targets))
		}
		targets = append(targets, t)
	}
	proxy, err := b.startProxy(ctx)
	if err != nil {
		return nil, errors.Join(err, stopAll(targets))
	}
	return append(targets, proxy), nil
}

func stopAll(targets []*target) error {
	var err error
	for _, t := range targets {
		err = errors.Join(err, t.process.stop())
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

// describeMachine adds the machine and the versions of the databases to the
// report.
func (b *bench) describeMachine(ctx context.Context) error {
	var versions []string
	for _, e := range database.Engines() {
		databaseURL, err := b.newDatabase(ctx, e)
		if err != nil {
			return err
		}
		text, err := database.Version(ctx, databaseURL)
		if err != nil {
			return fmt.Errorf("read the version of %s: %w", e, err)
		}
		versions = append(versions, string(e)+" "+text)
	}
	sync, err := syncTime(b.folder)
	if err != nil {
		return err
	}
	b.report.describeMachine(strings.Join(versions, ", "), sync)
	return nil
}
