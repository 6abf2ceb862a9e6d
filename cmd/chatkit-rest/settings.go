package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

const (
	// dotenv is the name of the settings file in the working folder; it may be missing.
	dotenv = ".env"
	// demoDatabase is the demo's SQLite file if DATABASE_URL is not set.
	demoDatabase = "data/demo.db"
)

// loadSettings reads the settings that a command needs: all, or those of
// options.Only.
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
		settings.JWTSecrets = []config.Secret{config.NewSecret(rand.Text() + rand.Text())} // valid until the demo stops
	}
	return settings, nil
}

// newLogger makes the logger of LOG_LEVEL and LOG_FORMAT. It masks the secrets of
// the settings.
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
