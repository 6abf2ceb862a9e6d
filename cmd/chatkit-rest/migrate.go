package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/cmd/chatkit-rest/internal/adapters"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
)

// migrate changes the database's schema, or shows which migrations are applied.
func migrate(ctx context.Context, p process, args []string) error {
	if len(args) != 1 {
		return usageError{errors.New("migrate needs one of the arguments up, down and status")}
	}
	settings, err := loadSettings(p, config.Options{Only: []string{"DATABASE_URL", "DATABASE_MAX_CONNS", "LOG_LEVEL", "LOG_FORMAT"}})
	if err != nil {
		return err
	}
	options := adapters.DatabaseConfig(settings, newLogger(p.stderr, settings))
	options.ReadOnly = args[0] == "status"
	db, err := database.Open(ctx, options)
	if err != nil {
		return fmt.Errorf("open the database of DATABASE_URL: %w", err)
	}
	defer db.Close() //nolint:errcheck // all changes are committed
	switch args[0] {
	case "up":
		err = db.Migrate(ctx)
	case "down":
		err = db.MigrateDown(ctx)
	case "status":
	default:
		return usageError{fmt.Errorf("migrate has no argument %q; use up, down or status", args[0])}
	}
	if err != nil {
		return err
	}
	status, err := db.MigrationStatus(ctx)
	if err != nil {
		return err
	}
	for _, m := range status {
		state := "pending"
		if !m.AppliedAt.IsZero() {
			state = "applied"
		}
		if _, err := fmt.Fprintf(p.stdout, "%-8s %s\n", state, m.Name); err != nil {
			return err
		}
	}
	return nil
}
