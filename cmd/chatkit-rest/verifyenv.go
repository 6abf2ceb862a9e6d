package main

import (
	"context"
	"errors"
	"flag"

	"github.com/chatkit-rest/chatkit-rest/cmd/chatkit-rest/internal/verify"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// verifyEnv prints a report on the settings and on everything that they name,
// without starting the server.
func verifyEnv(ctx context.Context, p process, args []string) error {
	flags := flag.NewFlagSet("verify-env", flag.ContinueOnError)
	if ok, err := parse(p, flags, args); !ok {
		return err
	}
	err := verify.Run(ctx, p.stdout, version, func() (config.Settings, error) { return loadSettings(p, config.Options{}) })
	if errors.Is(err, verify.ErrFailed) {
		return errReported
	}
	return err
}
