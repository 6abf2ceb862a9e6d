package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
)

// command is a command of the program.
type command struct {
	name    string
	summary string
	run     func(ctx context.Context, p process, args []string) error
}

// commands returns the commands, in the order in which usage lists them.
func commands() []command {
	return []command{
		{"serve", "serve [--demo] [--migrate]  run the server", serve},
		{"verify-env", "verify-env                  check the settings and everything that they name, without starting", verifyEnv},
		{"healthcheck", "healthcheck [--ready]       ask the server on this machine; exit code 0 means that it is healthy", healthcheck},
		{"token", "token --sub NAME [--ttl 1h] print a token for a user", token},
		{"migrate", "migrate up|down|status      change or show the database's schema", migrate},
		{"openapi", "openapi [--json]            print the API document with this server's values", openapi},
		{"version", "version                     print the version", printVersion},
	}
}

// usage prints the list of the commands.
func usage(w io.Writer) {
	fmt.Fprint(w, "chatkit-rest, a self-hosted chat backend\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintln(w, "  "+c.summary)
	}
	fmt.Fprint(w, "\nSettings are environment variables, or lines of the file .env; docs/settings.md lists them.\n")
}

// parse parses a command's flags, and rejects arguments beside them. It returns
// false if the command must not run: the flags are invalid, or help was requested
// and printed.
func parse(p process, flags *flag.FlagSet, args []string) (bool, error) {
	flags.SetOutput(p.stderr)
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return false, nil
	}
	if err != nil {
		return false, usageError{errReported} // The flag package has printed the error.
	}
	if flags.NArg() > 0 {
		return false, usageError{fmt.Errorf("%s does not take the argument %q; see chatkit-rest %s --help",
			flags.Name(), flags.Arg(0), flags.Name())}
	}
	return true, nil
}
