package config_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

const (
	goodDatabase = "postgresql://chat:Pa55word-in-url@db.internal:5432/chatkit"
	goodSecret   = "q8Zr2nV5xK1mW7tY4bL9cF3hJ6gD0sPa"
	otherSecret  = "Xw3kT8vB1nM6rQ9yE2uI7oP4aS5dF0gH"
	goodKey      = "sk-or-v1-3f9a7c51e8"
)

type env map[string]string

func (e env) get(name string) string { return e[name] }

// with returns a complete environment with changes, given as name, value, name,
// value.
func with(changes ...string) env {
	e := env{"DATABASE_URL": goodDatabase, "JWT_SECRET": goodSecret, "OPENROUTER_API_KEY": goodKey}
	for change := range slices.Chunk(changes, 2) {
		e[change[0]] = change[1]
	}

	return e
}

// withIdentity is like with, for a server that accepts an identity server's tokens.
func withIdentity(changes ...string) env {
	return with(append([]string{
		"JWKS_URL", "https://id.example.com/keys", "JWT_ISSUER", "https://id.example.com/", "JWT_AUDIENCE", "chat",
	}, changes...)...)
}

func load(t *testing.T, e env) config.Settings {
	t.Helper()

	s, err := config.Load(e.get, config.Options{})
	if err != nil {
		t.Fatalf("Load: %v", err)
	}

	return s
}

func faultsOf(t *testing.T, e env, opts config.Options) config.Faults {
	t.Helper()

	s, err := config.Load(e.get, opts)
	if err == nil {
		return nil
	}

	var faults config.Faults
	if !errors.As(err, &faults) || len(faults) == 0 {
		t.Fatalf("Load gave %v, want Faults", err)
	}

	if !reflect.DeepEqual(s, config.Settings{}) {
		t.Errorf("Load gave settings beside faults: %+v", s)
	}

	checkHidden(t, e, err.Error())

	for _, fault := range faults {
		if fault.Name == "" || fault.Problem == "" || fault.Fix == "" || !strings.Contains(err.Error(), fault.String()) {
			t.Errorf("the fault %+v is incomplete or not in the error", fault)
		}
	}

	return faults
}

// checkHidden checks that a text contains no secret and no long part of one.
func checkHidden(t *testing.T, e env, text string) {
	t.Helper()

	const part = 8

	for _, setting := range config.All() {
		value := e[setting.Name]
		if !setting.Secret || value == "" {
			continue
		}

		if len(value) < part {
			continue
		}

		for i := range len(value) - part + 1 {
			if piece := value[i : i+part]; strings.Contains(text, piece) && !isPublic(piece) {
				t.Errorf("the text shows %q of %s:\n%s", piece, setting.Name, text)

				return
			}
		}
	}
}

// isPublic reports whether the piece is in an example that the texts contain, or in
// the name of a parameter that they may name.
func isPublic(piece string) bool {
	const public = "postgresql://user:password@host:5432/database sqlite:///data/chatkit.db sqlite:////var/lib/chatkit.db" +
		" redis://:password@host:6379/0 redis://user:password@host JWT_SECRET: is a well-known placeholder" +
		" currentSchema keepalives pgbouncer"

	return strings.Contains(public, piece)
}

func defaultTypes() []string {
	return []string{
		"image/png", "image/jpeg", "image/webp", "image/gif", "text/plain", "text/markdown", "text/csv", "application/json",
	}
}

func namesOf(faults config.Faults) []string {
	names := make([]string, 0, len(faults))
	for _, fault := range faults {
		names = append(names, fault.Name)
	}

	return names
}
