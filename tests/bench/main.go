// Command bench compares the server with a bare reverse proxy before the same
// upstream, and with a bare handler on the same databases. Both are measured by
// turns in one run. It prints the result as Markdown, with pass or FAIL for each
// aim. It reads /proc, so it runs on Linux only.
//
// The program is also the stand-in upstream, the proxy and the bare handler:
// it starts itself again for each, so that every part has a process whose CPU
// time and memory can be told apart.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the bench, or one of its parts when the first argument names it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case upstreamRole:
			return serveUpstream(ctx, stdout)
		case proxyRole:
			return serveProxy(ctx, stdout)
		case handlerRole:
			return serveHandler(ctx, stdout)
		}
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	server := flags.String("server", "", "the path of the server's program")
	quick := flags.Bool("quick", false, "measure less, within a minute")
	only := flags.String("only", "", "comma list of the measurements to make: "+strings.Join(names(), ", "))
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	if *server == "" {
		return errors.New("-server is not set; run tests/bench/run.sh, which builds the server and names it")
	}
	program, err := filepath.Abs(*server)
	if err != nil {
		return fmt.Errorf("find -server: %w", err)
	}
	return measureAll(ctx, program, chosen, sizesFor(*quick), stdout, stderr)
}

// measurement is one that can be chosen by its name.
type measurement struct {
	name string
	make func(ctx context.Context, l *lab) error
}

func measurements() []measurement {
	return []measurement{
		{"first", measureFirstEvent},
		{"streams", measureStreams},
		{"relay", measureRelay},
		{"requests", measureRequests},
		{"size", measureSize},
		{"writes", measureWrites},
		{"slow", measureSlowReader},
		{"protocol", measureProtocol},
	}
}

func names() []string {
	var list []string
	for _, m := range measurements() {
		list = append(list, m.name)
	}
	return list
}

func choose(only string) ([]measurement, error) {
	all := measurements()
	if only == "" {
		return all, nil
	}
	var chosen []measurement
	for name := range strings.SplitSeq(only, ",") {
		at := slices.IndexFunc(all, func(m measurement) bool { return m.name == strings.TrimSpace(name) })
		if at < 0 {
			return nil, fmt.Errorf("-only: there is no measurement %q; take from %s", name, strings.Join(names(), ", "))
		}
		chosen = append(chosen, all[at])
	}
	return chosen, nil
}

func measureAll(
	ctx context.Context, program string, chosen []measurement, size sizes, stdout, stderr io.Writer,
) (err error) {
	l, err := newLab(ctx, program, size, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }() //nolint:contextcheck // what was begun is ended even so
	if err := l.describe(ctx); err != nil {
		return err
	}
	for _, m := range chosen {
		l.progressf("measuring: %s", m.name)
		if err := m.make(ctx, l); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return l.report.write(stdout)
}
