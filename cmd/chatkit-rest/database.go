package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/chatkit-rest/chatkit-rest/cmd/chatkit-rest/internal/adapters"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
)

// openDatabase opens the database and checks that its schema is up to date. It
// migrates a SQLite database, and PostgreSQL if migrate is true.
func openDatabase(ctx context.Context, settings config.Settings, logger *slog.Logger, migrate bool) (*database.DB, error) {
	db, err := database.Open(ctx, adapters.DatabaseConfig(settings, logger))
	if err != nil {
		return nil, fmt.Errorf("open the database of DATABASE_URL: %w", err)
	}
	if migrate || settings.Database.Driver == config.SQLite {
		err = db.Migrate(ctx)
	} else {
		err = checkMigrated(ctx, db)
	}
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// checkMigrated returns an error if migrations are pending.
func checkMigrated(ctx context.Context, db *database.DB) error {
	pending, err := db.MigrationsPending(ctx)
	if err != nil {
		return fmt.Errorf("read the database's schema: %w", err)
	}
	if pending {
		return errors.New("the database's schema is not up to date: " +
			"run chatkit-rest migrate up, or serve with --migrate")
	}
	return nil
}

// databaseName returns the name of the database in traces.
func databaseName(settings config.Settings) string {
	if database.Driver(settings.Database.Driver) == database.PostgreSQL {
		return "postgresql"
	}
	return "sqlite"
}
