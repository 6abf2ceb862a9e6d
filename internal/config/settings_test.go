package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()

	s := load(t, with())

	var text bytes.Buffer

	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&text, verb+verb+verb+verb, s, s.JWTSecrets, &s.OpenRouterAPIKey, s.Database)
	}

	for _, handler := range []slog.Handler{slog.NewJSONHandler(&text, nil), slog.NewTextHandler(&text, nil)} {
		slog.New(handler).Info("settings", "all", s, "secret", s.JWTSecrets[0], "database", s.Database)
	}

	if err := json.NewEncoder(&text).Encode(s); err != nil { //nolint:musttag // the test is that this shows no secret
		t.Fatalf("encode: %v", err)
	}

	for _, secret := range []string{goodDatabase, goodSecret, goodKey} {
		if strings.Contains(text.String(), secret) || strings.Contains(text.String(), fmt.Sprintf("%x", secret)) {
			t.Errorf("a secret is shown a text of %d bytes", text.Len())
		}
	}

	if s.JWTSecrets[0].Reveal() != goodSecret || s.JWTSecrets[0].String() != "(secret)" || (config.Secret{}).String() != "(not set)" {
		t.Errorf("got %q and %q", s.JWTSecrets[0].Reveal(), s.JWTSecrets[0])
	}
}

func TestServerURL(t *testing.T) {
	t.Parallel()

	tests := []struct{ public, listening, want string }{
		{"", "127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"", "[::1]:8080", "http://[::1]:8080"},
		{"", "0.0.0.0:8080", "http://localhost:8080"},
		{"", "[::]:8080", "http://localhost:8080"},
		{"", ":8080", "http://localhost:8080"},
		{"", "chat.internal:80", "http://chat.internal:80"},
		{"https://chat.example.com", "0.0.0.0:8080", "https://chat.example.com"},
	}
	for _, tt := range tests {
		if got := (config.Settings{PublicURL: tt.public}).ServerURL(tt.listening); got != tt.want {
			t.Errorf("PUBLIC_URL %q, listening on %q: got %q, want %q", tt.public, tt.listening, got, tt.want)
		}
	}
}

func TestListenAddress(t *testing.T) {
	t.Parallel()

	for host, want := range map[string]string{"127.0.0.1": "127.0.0.1:80", "::1": "[::1]:80", "localhost": "localhost:80"} {
		if got := (config.Settings{Host: host, Port: 80}).ListenAddress(); got != want {
			t.Errorf("host %q: got %q, want %q", host, got, want)
		}
	}
}
