// Command chatkit-rest is a self-hosted chat backend: sessions over REST,
// answers streamed from a model.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version is set when the binary is built.
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], process{getenv: os.Getenv, environ: os.Environ, stdout: os.Stdout, stderr: os.Stderr})
	stop()
	if err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintln(os.Stderr, "chatkit-rest:", err)
		}
		os.Exit(exitCode(err))
	}
}

// errSaid is the error of a command that has said itself what is wrong.
var errSaid = errors.New("said already")

// usageError is the error of a command line that cannot be understood.
type usageError struct{ error }

// exitCode is 2 for a wrong command line, 1 for every other failure.
func exitCode(err error) int {
	if _, ok := errors.AsType[usageError](err); ok {
		return 2
	}
	return 1
}

// process is what a command sees of the process it runs in.
type process struct {
	getenv  func(string) string
	environ func() []string
	stdout  io.Writer
	stderr  io.Writer
}

type command struct {
	name    string
	summary string
	run     func(ctx context.Context, p process, args []string) error
}

func commands() []command {
	return []command{
		{"serve", "serve [--demo] [--migrate]  run the server", serve},
		{"verify-env", "verify-env                  check the settings and all that they name, without starting", verifyEnv},
		{"healthcheck", "healthcheck [--ready]       ask the server of this machine; exit code 0 says it is well", healthcheck},
		{"token", "token --sub NAME [--ttl 1h] print a token for a user", token},
		{"migrate", "migrate up|down|status      change or show the database's schema", migrate},
		{"openapi", "openapi [--json]            print the API document with this server's values", openapi},
		{"version", "version                     print the version", printVersion},
	}
}

// run is the program. It returns when the command has ended or, for serve,
// after ctx has.
func run(ctx context.Context, args []string, p process) error {
	if len(args) == 0 {
		usage(p.stderr)
		return usageError{errSaid}
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
	return usageError{fmt.Errorf("unknown command %q; chatkit-rest help lists them", args[0])}
}

func usage(w io.Writer) {
	fmt.Fprint(w, "chatkit-rest, a self-hosted chat backend\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintln(w, "  "+c.summary)
	}
	fmt.Fprint(w, "\nSettings are environment variables, or lines of the file .env; docs/settings.md lists them.\n")
}

// parse reads a command's flags. It returns false when help was asked for and
// given.
func parse(p process, flags *flag.FlagSet, args []string) (bool, error) {
	flags.SetOutput(p.stderr)
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return false, nil
	}
	if err != nil {
		return false, usageError{errSaid} // the flag package has said it
	}
	if flags.NArg() > 0 {
		return false, usageError{fmt.Errorf("%s takes no %q; chatkit-rest %s --help says what it takes",
			flags.Name(), flags.Arg(0), flags.Name())}
	}
	return true, nil
}

func printVersion(_ context.Context, p process, _ []string) error {
	_, err := fmt.Fprintln(p.stdout, "chatkit-rest", version)
	return err
}
