package config_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

func TestConfidential(t *testing.T) {
	t.Parallel()

	settings := config.Settings{
		JWTSecrets:       []config.Secret{config.NewSecret("first signing secret"), config.NewSecret("second signing secret")},
		OpenRouterAPIKey: config.NewSecret("sk-or-v1-0123"),
		Database:         config.Database{DSN: config.NewSecret("postgres://user:p%40ssword1@db/chat?sslmode=disable")},
		RedisURL:         config.NewSecret("redis://:correct-horse@cache:6379/0"),
		Attachments:      config.Attachments{AccessKey: config.NewSecret("AKIA0123"), SecretKey: config.NewSecret("storage-secret")},
		MCPServers:       []config.MCPServer{{Secrets: []config.Secret{config.NewSecret("tool-token"), config.NewSecret("short")}}},
		Tracing:          config.Tracing{Headers: map[string]config.Secret{"x-key": config.NewSecret("collector-key")}},
	}
	want := []string{
		"postgres://user:p%40ssword1@db/chat?sslmode=disable", "redis://:correct-horse@cache:6379/0", "second signing secret",
		"first signing secret", "storage-secret", "sk-or-v1-0123", "collector-key", "correct-horse", "p%40ssword1", "tool-token",
		"p@ssword1",
	}
	got := settings.Confidential()

	if !slices.IsSortedFunc(got, func(a, b string) int { return len(b) - len(a) }) {
		t.Errorf("a longer one comes after a shorter: %q", got)
	}

	slices.Sort(got)
	slices.Sort(want)

	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestConfidentialLeavesNames checks that a password which is also a name in the URL is
// not hidden, since the name is in ordinary log lines.
func TestConfidentialLeavesNames(t *testing.T) {
	t.Parallel()

	for _, dsn := range []string{"postgres://postgres:postgres@db/chat", "postgres://me:chatkit1@db/chatkit1", "postgres://me:short@db/chat", ""} {
		settings := config.Settings{Database: config.Database{DSN: config.NewSecret(dsn)}}
		got := settings.Confidential()

		if dsn != "" && len(got) != 1 || dsn == "" && len(got) != 0 {
			t.Errorf("%s: got %q", dsn, got)
		}
	}
}

// TestConfidentialParameters checks that passwords in the parameters of PostgreSQL's URL
// are hidden, both percent-encoded and decoded, also in a URL without a host, and that
// printed settings do not have them.
func TestConfidentialParameters(t *testing.T) {
	t.Parallel()

	for dsn, want := range map[string][]string{
		"postgres:///db?host=/run/x&password=correct%2Dhorse":               {"correct%2Dhorse", "correct-horse"},
		"postgres://user:correct%2Dhorse@/db?host=/run/x":                   {"correct%2Dhorse", "correct-horse"},
		"postgres://user:correct-horse@%2Frun%2Fx/db":                       {"correct-horse"},
		"postgres://db/chat?sslkey=/k&sslcert=/c&sslpassword=correct-horse": {"correct-horse"},
		"postgres:///db?pass%77ord=correct-horse":                           {"correct-horse"},
		"postgres:///db?password=first-horse&password=correct-horse":        {"first-horse", "correct-horse"},
	} {
		settings := load(t, with("DATABASE_URL", dsn))

		got := settings.Confidential()
		for _, password := range want {
			if !slices.Contains(got, password) {
				t.Errorf("%s: %q is not among %q", dsn, password, got)
			}
		}

		encoded, err := json.Marshal(settings) //nolint:musttag // as a log would print it
		if err != nil {
			t.Fatal(err)
		}

		for _, printed := range []string{string(encoded), fmt.Sprintf("%v %+v %#v", settings, settings, settings)} {
			if strings.Contains(printed, "horse") {
				t.Errorf("%s is printed: %s", dsn, printed)
			}
		}
	}
}
