package adapters

import (
	"log/slog"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
)

// DatabaseConfig returns the options of the database of DATABASE_URL, and reveals
// its password.
func DatabaseConfig(settings config.Settings, logger *slog.Logger) database.Config {
	return database.Config{
		Driver: database.Driver(settings.Database.Driver), DSN: settings.Database.DSN.Reveal(), Path: settings.Database.Path,
		MaxConns: settings.DatabaseMaxConns, Logger: logger,
	}
}
