package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// token prints a token that the server accepts, for experiments and scripts.
func token(_ context.Context, p process, args []string) error {
	flags := flag.NewFlagSet("token", flag.ContinueOnError)
	sub := flags.String("sub", "", "the user's id, the token's sub")
	ttl := flags.Duration("ttl", time.Hour, "how long the token is valid")
	if ok, err := parse(p, flags, args); !ok {
		return err
	}
	if *sub == "" {
		return usageError{errors.New("token needs --sub NAME, the user's id")}
	}
	settings, err := loadSettings(p, config.Options{Only: []string{"JWT_SECRET", "JWT_MAX_TTL"}})
	if err != nil {
		return err
	}
	if *ttl > settings.JWTMaxTTL {
		return usageError{fmt.Errorf("the server rejects a token that is valid for longer than JWT_MAX_TTL (%s): use a shorter --ttl", settings.JWTMaxTTL)}
	}
	secret, err := signingSecret(settings)
	if err != nil {
		return err
	}
	signed, err := auth.Mint(secret, *sub, *ttl, time.Now())
	if err != nil {
		return fmt.Errorf("make a token: %w", err)
	}
	_, err = fmt.Fprintln(p.stdout, signed)
	return err
}
