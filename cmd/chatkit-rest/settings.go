package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

const (
	// dotenv is read from the working folder if it is there.
	dotenv = ".env"
	// demoDatabase is where the demo keeps its sessions when DATABASE_URL is
	// not set.
	demoDatabase = "data/demo.db"
)

// loadSettings reads the settings a command needs: the named ones, or all.
func loadSettings(p process, options config.Options) (config.Settings, error) {
	getenv, names, err := config.Getenv(dotenv, p.getenv)
	if err != nil {
		return config.Settings{}, err
	}
	for _, variable := range p.environ() {
		name, _, _ := strings.Cut(variable, "=")
		names = append(names, name)
	}
	options.Names = names
	settings, err := config.Load(getenv, options)
	if err != nil {
		return config.Settings{}, fmt.Errorf("%w\ndocs/settings.md lists all settings", err)
	}
	if !options.Demo {
		return settings, nil
	}
	if !settings.Database.IsSet() {
		settings.Database = config.Database{Driver: config.SQLite, Path: demoDatabase}
	}
	if len(settings.JWTSecrets) == 0 {
		settings.JWTSecrets = []config.Secret{config.NewSecret(rand.Text() + rand.Text())} // good until the demo stops
	}
	return settings, nil
}

func newLogger(w io.Writer, settings config.Settings) *slog.Logger {
	json := settings.LogFormat == config.LogJSON || settings.LogFormat == config.LogAuto && !isTerminal(w)
	return telemetry.NewLogger(telemetry.Masked(w, settings.Confidential()), settings.LogLevel, json)
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func storeConfig(settings config.Settings, logger *slog.Logger) store.Config {
	return store.Config{
		Driver: store.Driver(settings.Database.Driver), DSN: settings.Database.DSN.Reveal(), Path: settings.Database.Path,
		MaxConns: settings.DatabaseMaxConns, Logger: logger,
	}
}
