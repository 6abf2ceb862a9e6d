// Command bench compares the server with a bare reverse proxy to the same
// upstream, and with a bare handler on the same databases. It measures them in
// turn, in one run. It prints the result as Markdown, with pass or FAIL for each
// aim. It reads /proc, so it runs on Linux only.
//
// The program is also the upstream, the proxy and the bare handler; see package
// role.
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

	"github.com/chatkit-rest/chatkit-rest/tests/bench/role"
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

// run runs the benchmark, or the role that the first argument names.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case role.Upstream:
			return role.ServeUpstream(ctx, stdout)
		case role.Proxy:
			return role.ServeProxy(ctx, stdout)
		case role.Handler:
			return role.ServeHandler(ctx, stdout)
		}
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	server := flags.String("server", "", "the path of the server's program")
	quick := flags.Bool("quick", false, "measure less, in about a minute")
	only := flags.String("only", "", "comma-separated measurements: "+strings.Join(names(), ", "))
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	selected, err := selectMeasurements(*only)
	if err != nil {
		return err
	}
	if *server == "" {
		return errors.New("-server is not set; run tests/bench/run.sh, which builds the server and sets it")
	}
	program, err := filepath.Abs(*server)
	if err != nil {
		return fmt.Errorf("find -server: %w", err)
	}
	return measureAll(ctx, program, selected, scaleFor(*quick), stdout, stderr)
}

// measurement is a measurement that -only can select by its name.
type measurement struct {
	name string
	run  func(ctx context.Context, b *bench) error
}

func measurements() []measurement {
	return []measurement{
		{"first", measureFirstEvent},
		{"streams", measureStreams},
		{"relay", measureRelay},
		{"requests", measureRequests},
		{"size", measureDatabaseSize},
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

func selectMeasurements(only string) ([]measurement, error) {
	all := measurements()
	if only == "" {
		return all, nil
	}
	var selected []measurement
	for name := range strings.SplitSeq(only, ",") {
		at := slices.IndexFunc(all, func(m measurement) bool { return m.name == strings.TrimSpace(name) })
		if at < 0 {
			return nil, fmt.Errorf("-only: there is no measurement %q, only %s", name, strings.Join(names(), ", "))
		}
		selected = append(selected, all[at])
	}
	return selected, nil
}

func measureAll(
	ctx context.Context, program string, selected []measurement, scale scale, stdout, stderr io.Writer,
) (err error) {
	b, err := newBench(ctx, program, scale, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }() //nolint:contextcheck // the parts are stopped even so
	if err := b.describeMachine(ctx); err != nil {
		return err
	}
	for _, m := range selected {
		b.progressf("measuring: %s", m.name)
		if err := m.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return b.report.write(stdout)
}
