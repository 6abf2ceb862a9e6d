package adapters

import (
	"log/slog"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
)

// StoreConfig returns the options of the store of DATABASE_URL, and reveals its
// password.
func StoreConfig(settings config.Settings, logger *slog.Logger) store.Config {
	return store.Config{
		Driver: store.Driver(settings.Database.Driver), DSN: settings.Database.DSN.Reveal(), Path: settings.Database.Path,
		MaxConns: settings.DatabaseMaxConns, Logger: logger,
	}
}
