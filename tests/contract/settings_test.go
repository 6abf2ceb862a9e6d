package contract_test

import (
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// hidden is part of values that no output may show.
const hidden = "hunter2"

const goodSecret = "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe"

// badSettings returns values of each setting that serve refuses.
func badSettings() map[string][]string {
	return map[string][]string{
		"DATABASE_URL": {
			"", "mysql://root:" + hidden + "@db/chat", "postgresql://bob:" + hidden + "@db:99999/chat",
			"postgresql://bob:" + hidden + "%zz@db/chat", "sqlite://", "chat.db",
		},
		"DATABASE_MAX_CONNS": {"many", "0", "-1", "1.5", "10001"},
		"JWT_SECRET": {
			"", hidden, strings.Repeat("a", 31), strings.Repeat("a", 64), "  ", goodSecret + "," + hidden, goodSecret + ",",
			goodSecret + ", " + strings.ToLower(goodSecret), goodSecret + "," + goodSecret,
		},
		"JWT_MAX_TTL": {"soon", "3600", "1s", "876001h"},
		"REDIS_URL": {
			"localhost:6379", "http://:" + hidden + "@redis", "redis://:" + hidden + "@redis:99999", "redis://:" + hidden + "%zz@redis",
			"redis://:" + hidden + "@redis/first", "redis://" + hidden + "@redis", "redis://:" + hidden + "@redis?db=1",
		},
		"OPENROUTER_API_KEY":          {"", hidden + " with a space", hidden + "\nX-Header: evil"},
		"OPENROUTER_BASE_URL":         {"openrouter.ai", "ftp://openrouter.ai", "http://bob:" + hidden + "@host/v1", "http://", "http://host/?key=" + hidden},
		"OPENROUTER_MODEL":            {"two words", "line\nbreak"},
		"OPENROUTER_FALLBACK_MODELS":  {"two words", "a,b,c,d", "a,a", "[1]"},
		"MODELS":                      {"two words", "a,a", "[1]"},
		"TITLE_MODEL":                 {"two words"},
		"OPENROUTER_MAX_TOKENS":       {"many", "-1", "1.5"},
		"OPENROUTER_SITE_URL":         {"example.com", "javascript:alert(1)"},
		"OPENROUTER_APP_NAME":         {"line\nbreak"},
		"SYSTEM_PROMPT":               {"a bell\a", "no UTF-8 \xff", strings.Repeat("p", 100_001)},
		"SEND_LOCALE":                 {"yes", "0"},
		"PUBLIC_URL":                  {"chat.example.com", "ftp://chat.example.com"},
		"HOST":                        {"http://localhost", "two words", "256.1.1.1"},
		"PORT":                        {"http", "-1", "65536", "80.5", "99999999999999999999"},
		"CORS_ORIGINS":                {"*", "app.example.com", "https://app.example.com/path", `["https://app.example.com"`, `["*"]`, "https://*.example.com"},
		"ALLOWED_IMAGE_DOMAINS":       {"https://images.example.com", "*.example.com", "images.example.com:443"},
		"TRUSTED_PROXIES":             {"proxy.example.com", "10.0.0.0/33", "0.0.0.0/0", "10.0.0"},
		"RATE_LIMIT_PER_MINUTE":       {"many", "-1", "1.5", "99999999999999999999"},
		"MAX_SESSIONS_PER_USER":       {"many", "0", "-1", "1e3"},
		"MAX_MESSAGE_CHARS":           {"many", "0", "-1", "1.5"},
		"HISTORY_MAX_MESSAGES":        {"many", "0"},
		"HISTORY_MAX_CHARS":           {"many", "0", "-5"},
		"RUN_MAX_SECONDS":             {"many", "0", "-1", "30m", "86401"},
		"RUN_LOG_TTL":                 {"soon", "20", "-1s", "61m"},
		"RUN_LOG_MAX_BYTES":           {"many", "-1", "1.5", "64MiB"},
		"UPSTREAM_FIRST_BYTE_TIMEOUT": {"soon", "20", "-1s", "0s"},
		"UPSTREAM_IDLE_TIMEOUT":       {"soon", "20", "-1s", "0s"},
		"SHUTDOWN_TIMEOUT":            {"soon", "20", "-1s"},
		"MCP_SERVERS":                 {"no-such-file.json", "/"},
		"LOG_LEVEL":                   {"loud", "7"},
		"LOG_FORMAT":                  {"xml"},
		"METRICS_ADDR":                {"9090", "http://127.0.0.1:9090", "127.0.0.1:99999", "127.0.0.1:"},

		"ATTACHMENTS_URL": {
			"data/files", "ftp://bob:" + hidden + "@host/files", "file://files", "file:///", "s3://", "s3://key:" + hidden + "@files",
			"s3://files?key=" + hidden, "s3://files?endpoint=minio:9000",
		},
		"ATTACHMENT_MAX_BYTES":          {"many", "0", "-1", "104857601"},
		"ATTACHMENT_MAX_BYTES_PER_USER": {"many", "-1", "1.5", "10485759"},
		"ATTACHMENT_TYPES":              {"png", "image/svg+xml", "*/*", "text/plain,text/plain", "[1]"},
		"AWS_ACCESS_KEY_ID":             {hidden + " with a space", hidden + "\tab"},
		"AWS_SECRET_ACCESS_KEY":         {hidden + " with a space", hidden + "schlüssel"},

		"OTEL_EXPORTER_OTLP_PROTOCOL": {"grpc", "http/json"},
		"OTEL_EXPORTER_OTLP_ENDPOINT": {"collector:4318", "http://bob:" + hidden + "@collector"},
		"OTEL_EXPORTER_OTLP_HEADERS":  {hidden, "a b=" + hidden},
		"OTEL_TRACES_SAMPLER":         {"sometimes"},

		"OTEL_EXPORTER_OTLP_CERTIFICATE": {"/nowhere/ca.pem", "."},
		"OTEL_EXPORTER_OTLP_CLIENT_KEY":  {hidden, "-----BEGIN PRIVATE KEY-----\n" + hidden},
	}
}

// TestEverySettingHasABadValue checks that the lists of bad values here have every
// setting.
func TestEverySettingHasABadValue(t *testing.T) {
	t.Parallel()
	tried := badSettings()
	for _, bad := range badIdentitySettings() {
		tried[bad.name] = append(tried[bad.name], bad.value)
	}
	for _, setting := range config.All() {
		if len(tried[setting.Name]) == 0 {
			t.Errorf("no bad value of %s is tried", setting.Name)
		}
	}
}

// TestBadSettings checks that serve and verify-env name every bad setting and
// print no secret.
func TestBadSettings(t *testing.T) {
	t.Parallel()
	bad := badSettings()
	rounds := 0
	for _, values := range bad {
		rounds = max(rounds, len(values))
	}
	for round := range rounds {
		env, named := map[string]string{}, []string{}
		for name, values := range bad {
			env[name] = values[round%len(values)]
			named = append(named, name)
		}
		for _, command := range []string{"serve", "verify-env"} {
			t.Run(command, func(t *testing.T) {
				t.Parallel()
				checkRefused(t, harness.Execute(t, env, command), env, named...)
			})
		}
	}
}

// checkRefused checks that the command failed, named the settings and printed
// no secret.
func checkRefused(t *testing.T, result harness.Result, env map[string]string, names ...string) {
	t.Helper()
	if result.ExitCode <= 0 {
		t.Errorf("the exit code is %d", result.ExitCode)
	}
	output := result.Output()
	for _, name := range names {
		if !regexp.MustCompile(`(?m)\b` + name + `\b`).MatchString(output) {
			t.Errorf("%s=%q is not named:\n%s", name, env[name], output)
		}
	}
	if strings.Contains(output, hidden) {
		t.Errorf("the output shows a secret:\n%s", output)
	}
	if strings.Contains(output, "listening") {
		t.Errorf("the server listened:\n%s", output)
	}
}

// TestListenBeforeDatabase checks that serve listens before it opens the database.
func TestListenBeforeDatabase(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for name, change := range map[string]map[string]string{
		"METRICS_ADDR":               {"METRICS_ADDR": "no-such-host.invalid:9090"},
		"METRICS_ADDR in use":        {"METRICS_ADDR": taken.Addr().String()},
		"HOST":                       {"HOST": "no-such-host.invalid"},
		"HOST and PORT in use":       {"PORT": port},
		"HOST, METRICS_ADDR at once": {"HOST": "no-such-host.invalid", "METRICS_ADDR": "no-such-host.invalid:9090"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "chat.db")
			env := harness.Settings("sqlite:///"+file, goodSecret, harness.NewUpstream(t))
			env["PORT"] = "0"
			maps.Copy(env, change)
			checkRefused(t, harness.Execute(t, env, "serve", "--migrate"), env, slices.Collect(maps.Keys(change))...)
			if _, err := os.Stat(file); !os.IsNotExist(err) {
				t.Errorf("the database was opened (%v)", err)
			}
		})
	}
}

// TestOneBadSetting checks that one bad setting is enough to fail, and that no
// other is named.
func TestOneBadSetting(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"DATABASE_URL": harness.NewDatabase(t, harness.SQLite), "JWT_SECRET": goodSecret,
		"OPENROUTER_API_KEY": "sk-or-v1-0f9d8c7b", "PORT": "0",
	}
	for name, values := range badSettings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{name: values[0]}
			for other, value := range good {
				if other != name {
					env[other] = value
				}
			}
			result := harness.Execute(t, env, "serve")
			checkRefused(t, result, env, name)
			for other := range badSettings() {
				blamed := regexp.MustCompile(`(?m)^\W*` + other + `\b`)
				if other != name && blamed.MatchString(result.Stderr) {
					t.Errorf("%s is named too:\n%s", other, result.Stderr)
				}
			}
		})
	}
}

// badIdentitySettings returns settings of an identity server, one bad among
// good ones.
func badIdentitySettings() []struct{ name, value string } {
	return []struct{ name, value string }{
		{"JWKS_URL", "id.example.com/keys"},
		{"JWKS_URL", "http://id.example.com/keys"},
		{"JWKS_URL", "ftp://id.example.com"},
		{"JWKS_URL", "https://bob:" + hidden + "@id.example.com/keys"},
		{"JWKS_URL", "https://id.example.com/#" + hidden},
		{"JWT_ISSUER", ""},
		{"JWT_ISSUER", "two words"},
		{"JWT_AUDIENCE", ""},
		{"JWT_AUDIENCE", "two words"},
		{"JWT_AUDIENCE", "["},
	}
}

// TestBadIdentitySettings checks that the settings of an identity server are
// checked together, and that they need no JWT_SECRET.
func TestBadIdentitySettings(t *testing.T) {
	t.Parallel()
	for n, test := range badIdentitySettings() {
		t.Run(fmt.Sprint(n, " ", test.name), func(t *testing.T) {
			t.Parallel()
			env := map[string]string{
				"DATABASE_URL": harness.NewDatabase(t, harness.SQLite), "OPENROUTER_API_KEY": "sk-or-v1-0f9d8c7b", "PORT": "0",
				"JWKS_URL": "https://id.example.com/keys", "JWT_ISSUER": "https://id.example.com", "JWT_AUDIENCE": "chat",
			}
			env[test.name] = test.value
			result := harness.Execute(t, env, "serve")
			checkRefused(t, result, env, test.name)
			if !strings.Contains(result.Stderr, "1 fault") {
				t.Errorf("another setting is named too:\n%s", result.Stderr)
			}
		})
	}
	for _, name := range []string{"JWT_ISSUER", "JWT_AUDIENCE"} {
		env := map[string]string{"JWT_SECRET": goodSecret, name: "chat"}
		checkRefused(t, harness.Execute(t, env, "serve"), env, name, "JWKS_URL")
	}
}

// TestDotenv checks that the file .env is read if it exists and that the
// environment overrides it.
func TestDotenv(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Database: harness.SQLite})
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, ".env"), []byte("# secret\nJWT_SECRET="+server.Secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	token := func(env map[string]string) string {
		result := harness.ExecuteIn(t, folder, env, "token", "--sub", "alice")
		if result.ExitCode != 0 {
			t.Fatalf("token: %s", result.Output())
		}
		return strings.TrimSpace(result.Stdout)
	}
	request := createRequest()
	request.Header = header("Authorization", "Bearer "+token(nil))
	wantOK(t, server.Do(t, request))
	request.Header = header("Authorization", "Bearer "+token(map[string]string{"JWT_SECRET": strings.ToLower(server.Secret)}))
	want(t, server.Do(t, request), 401, "UNAUTHORIZED")
}
