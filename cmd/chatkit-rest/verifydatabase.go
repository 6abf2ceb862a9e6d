package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
)

func verifyDatabase(ctx context.Context, settings config.Settings) (string, error) {
	db, err := lookAtStore(ctx, settings)
	if err != nil {
		return "", err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	number, err := db.ServerVersion(ctx)
	if err != nil {
		return "", fmt.Errorf("DATABASE_URL: %w", err)
	}
	name := "PostgreSQL"
	if db.IsPooled() {
		number += " through a connection pooler"
	}
	if settings.Database.Driver == config.SQLite {
		name = "SQLite"
	}
	if isMissing(settings.Database) {
		return name + " " + number + "; the file is not there yet, serve makes it", nil
	}
	return name + " " + number, nil
}

func lookAtStore(ctx context.Context, settings config.Settings) (*store.Store, error) {
	if isMissing(settings.Database) {
		if err := canMakeIn(filepath.Dir(settings.Database.Path)); err != nil {
			return nil, fmt.Errorf("DATABASE_URL: the SQLite file is not there, and serve could not make it: %w; "+
				"name another place, or let this user write there", err)
		}
	}
	place := storeConfig(settings, slog.New(slog.DiscardHandler))
	place.Look = true
	db, err := store.Open(ctx, place)
	if err != nil {
		if chat.CodeOf(err) == chat.CodeServiceUnavailable {
			err = fmt.Errorf("%w; see that it answers, and that its user may connect", err)
		}
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	return db, nil
}

func verifyMigrations(ctx context.Context, settings config.Settings) (string, error) {
	db, err := lookAtStore(ctx, settings)
	if err != nil {
		return "", unsure{"the database does not answer"}
	}
	defer db.Close() //nolint:errcheck // nothing was written
	list, err := db.MigrationStatus(ctx)
	if err != nil {
		return "", fmt.Errorf("DATABASE_URL: %w", err)
	}
	pending := 0
	for _, migration := range list {
		if migration.AppliedAt.IsZero() {
			pending++
		}
	}
	detail := fmt.Sprintf("%d applied, %d pending", len(list)-pending, pending)
	switch {
	case pending == 0:
		return detail, nil
	case settings.Database.Driver == config.SQLite:
		return detail + "; serve applies them", nil
	default:
		return "", errors.New(detail + "; run chatkit-rest migrate up, or serve with --migrate")
	}
}

func tellLimits(_ context.Context, settings config.Settings) (string, error) {
	rate := "NO RATE LIMIT"
	if settings.RateLimitPerMinute > 0 {
		rate = fmt.Sprintf("%d requests a minute for an address", settings.RateLimitPerMinute)
	}
	proxies := "no trusted proxy"
	if n := len(settings.TrustedProxies); n > 0 {
		proxies = fmt.Sprintf("%d trusted proxy range(s)", n)
	}
	return fmt.Sprintf("%s (%s), %d sessions a user, %d characters a message",
		rate, proxies, settings.MaxSessionsPerUser, settings.MaxMessageChars), nil
}
