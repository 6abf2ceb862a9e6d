package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
)

// verifyTimeout bounds each look at something outside.
const verifyTimeout = 15 * time.Second

// check is one look at something outside. Its detail is told beside "ok".
type check struct {
	name string
	look func(context.Context, config.Settings) (detail string, err error)
}

// checks are those that the settings ask for.
func checks(settings config.Settings) []check {
	list := []check{
		{"settings", func(context.Context, config.Settings) (string, error) { return "", nil }},
		{"database", verifyDatabase},
	}
	if settings.RedisURL.IsSet() {
		list = append(list, check{"redis", verifyRedis})
	}
	if settings.Identity.IsSet() {
		list = append(list, check{"identity", verifyIdentity})
	}
	return append(list, check{"upstream", verifyUpstream})
}

// verifyEnv says what is wrong with the settings and with what they name, the
// database and the key first, without starting the server. It looks at all of
// it before it fails.
func verifyEnv(ctx context.Context, p process, args []string) error {
	flags := flag.NewFlagSet("verify-env", flag.ContinueOnError)
	if ok, err := parse(p, flags, args); !ok {
		return err
	}
	settings, err := loadSettings(p, config.Options{})
	if err != nil {
		return err
	}
	failed := false
	for _, check := range checks(settings) {
		ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
		detail, err := check.look(ctx, settings)
		cancel()
		word := "ok"
		if err != nil {
			failed = true
			word, detail = "FAILED", err.Error()
		}
		if detail != "" {
			detail = "  " + detail
		}
		if _, err := fmt.Fprintf(p.stdout, "%-10s%s%s\n", check.name, word, detail); err != nil {
			return err
		}
	}
	if failed {
		return errSaid
	}
	return nil
}

func verifyDatabase(ctx context.Context, settings config.Settings) (detail string, err error) {
	db, err := store.Open(ctx, storeConfig(settings, slog.New(slog.DiscardHandler)))
	if err != nil {
		return "", fmt.Errorf("DATABASE_URL: %w", err)
	}
	defer db.Close() //nolint:errcheck // nothing was written
	if err := db.Ping(ctx); err != nil {
		return "", fmt.Errorf("DATABASE_URL: %w", err)
	}
	if settings.Database.Driver == config.SQLite {
		return "", nil // serve migrates it
	}
	return "", checkMigrated(ctx, db)
}

func verifyRedis(ctx context.Context, settings config.Settings) (detail string, err error) {
	if err := ratelimit.CheckRedis(ctx, settings.RedisURL.Reveal()); err != nil {
		return "", fmt.Errorf("REDIS_URL: %w", err)
	}
	return "", nil
}

// verifyIdentity tells the keys, so that they can be held against those that
// the identity server is known to have.
func verifyIdentity(ctx context.Context, settings config.Settings) (detail string, err error) {
	keys := auth.NewKeySet(auth.KeySetOptions{URL: settings.Identity.JWKSURL})
	defer keys.Close()
	found, err := keys.Fetch(ctx)
	if err != nil {
		return "", fmt.Errorf("JWKS_URL: %w", err)
	}
	return "keys: " + auth.Describe(found), nil
}

func verifyUpstream(ctx context.Context, settings config.Settings) (detail string, err error) {
	model, err := newModel(settings)
	if err != nil {
		return "", err
	}
	defer model.CloseIdle()
	err = model.CheckKey(ctx)
	var upstream *chat.UpstreamError
	if !errors.As(err, &upstream) {
		return "", err
	}
	switch upstream.Kind {
	case chat.UpstreamCredentials:
		return "", errors.New("OPENROUTER_API_KEY was refused; make a new key and set it")
	case chat.UpstreamPayment:
		return "", errors.New("OPENROUTER_API_KEY's account is out of credit; add some")
	case chat.UpstreamUnreachable, chat.UpstreamTimeout:
		return "", fmt.Errorf("OPENROUTER_BASE_URL cannot be reached: %w", err)
	default:
		return "", fmt.Errorf("OPENROUTER_BASE_URL gave an unexpected answer: %w", err)
	}
}
