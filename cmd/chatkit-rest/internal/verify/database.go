package verify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/chatkit-rest/chatkit-rest/cmd/chatkit-rest/internal/adapters"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
)

// checkDatabase reports the version of the database.
func (c checker) checkDatabase(ctx context.Context) (string, error) {
	db, err := c.openReadOnly(ctx)
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
	if c.settings.Database.Driver == config.SQLite {
		name = "SQLite"
	}
	if isMissingSQLite(c.settings.Database) {
		return name + " " + number + "; the file does not exist yet, serve creates it", nil
	}
	return name + " " + number, nil
}

// openReadOnly opens the database without changing or creating it.
func (c checker) openReadOnly(ctx context.Context) (*database.DB, error) {
	if isMissingSQLite(c.settings.Database) {
		if err := checkCanCreate(filepath.Dir(c.settings.Database.Path)); err != nil {
			return nil, fmt.Errorf("DATABASE_URL: the SQLite file does not exist, and serve could not create it: %w; "+
				"choose another path, or let this user write there", err)
		}
	}
	options := adapters.DatabaseConfig(c.settings, slog.New(slog.DiscardHandler))
	options.ReadOnly = true
	db, err := database.Open(ctx, options)
	if err != nil {
		if chat.CodeOf(err) == chat.CodeServiceUnavailable {
			err = fmt.Errorf("%w; check that it answers, and that its user may connect", err)
		}
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	return db, nil
}

// checkMigrations reports how many migrations are applied and pending.
func (c checker) checkMigrations(ctx context.Context) (string, error) {
	db, err := c.openReadOnly(ctx)
	if err != nil {
		return "", unsureError{"the database could not be opened"}
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
	case c.settings.Database.Driver == config.SQLite:
		return detail + "; serve applies them", nil
	default:
		return "", errors.New(detail + "; run chatkit-rest migrate up, or serve with --migrate")
	}
}
