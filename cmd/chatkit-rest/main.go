// Command chatkit-rest is a self-hosted chat backend: sessions over a REST API
// and the ChatKit protocol, answers streamed from a model.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], process{getenv: os.Getenv, environ: os.Environ, stdout: os.Stdout, stderr: os.Stderr})
	stop()
	if err != nil {
		if !errors.Is(err, errReported) {
			fmt.Fprintln(os.Stderr, "chatkit-rest:", err)
		}
		os.Exit(exitCode(err))
	}
}

// errReported is the error of a command that has already printed what is wrong.
var errReported = errors.New("reported already")

// usageError is the error of an invalid command line.
type usageError struct{ error }

// exitCode returns 2 for an invalid command line, 1 for every other failure.
func exitCode(err error) int {
	if _, ok := errors.AsType[usageError](err); ok {
		return 2
	}
	return 1
}

// process is the part of the operating system process that a command uses.
type process struct {
	getenv  func(string) string
	environ func() []string
	stdout  io.Writer
	stderr  io.Writer
}

// run runs the command that args name. The command serve returns after ctx is
// done.
func run(ctx context.Context, args []string, p process) error {
	if len(args) == 0 {
		usage(p.stderr)
		return usageError{errReported}
	}
	if args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		usage(p.stdout)
		return nil
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, p, args[1:])
		}
	}
	return usageError{fmt.Errorf("unknown command %q; run chatkit-rest help for the list of commands", args[0])}
}
