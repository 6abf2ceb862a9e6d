package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

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

func verifyKey(ctx context.Context, settings config.Settings) (string, error) {
	model, err := newModel(settings)
	if err != nil {
		return "", err
	}
	defer model.CloseIdle()
	state, err := model.CheckKey(ctx)
	switch {
	case err != nil:
		return "", adviseUpstream(err)
	case !state.Told:
		return "accepted", nil
	case state.Remaining == nil:
		return "accepted; it has no credit limit of its own", nil
	case state.Limit == nil:
		return fmt.Sprintf("accepted; %.2f credits left", *state.Remaining), nil
	default:
		return fmt.Sprintf("accepted; %.2f of %.2f credits left", *state.Remaining, *state.Limit), nil
	}
}

// adviseUpstream says what to do about a failure of upstream.
func adviseUpstream(err error) error {
	var upstream *chat.UpstreamError
	if !errors.As(err, &upstream) {
		return err
	}
	switch upstream.Kind {
	case chat.UpstreamCredentials:
		return errors.New("OPENROUTER_API_KEY was refused; make a new key and set it")
	case chat.UpstreamPayment:
		return errors.New("OPENROUTER_API_KEY's account is out of credit; add some")
	case chat.UpstreamUnreachable, chat.UpstreamTimeout:
		return fmt.Errorf("OPENROUTER_BASE_URL cannot be reached: %w; see that this machine may call it", err)
	default:
		return fmt.Errorf("OPENROUTER_BASE_URL gave an unexpected answer: %w; see that it is an API's base URL, or try later", err)
	}
}

func verifyModel(ctx context.Context, settings config.Settings) (string, error) {
	client, err := newModel(settings)
	if err != nil {
		return "", err
	}
	defer client.CloseIdle()
	names, err := client.Models(ctx)
	if err != nil {
		return "", unsure{"upstream gives no list of its models"}
	}
	return judgeModel(settings.OpenRouterModel, names)
}

// judgeModel says whether upstream knows the model, as far as its list tells.
func judgeModel(model string, listed []string) (string, error) {
	base, _, _ := strings.Cut(model, ":") // OpenRouter's ":online" and the like are not listed
	switch {
	case len(listed) == 0:
		return "", unsure{model + ": upstream lists no models"}
	case slices.Contains(listed, model), slices.Contains(listed, base), slices.Contains(listed, model+":latest"):
		return model, nil
	case strings.Contains(model, "@preset/"):
		return "", unsure{model + ": a preset is not listed"}
	case len(listed) == 1:
		// A server with one model may answer to any name.
		return "", unsure{fmt.Sprintf("%s: upstream lists %s alone", model, listed[0])}
	default:
		return "", fmt.Errorf("OPENROUTER_MODEL: upstream lists %d models, but not %s; set one that it lists", len(listed), model)
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
