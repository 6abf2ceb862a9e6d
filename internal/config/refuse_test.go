package config_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// badURLs are invalid web addresses.
func badURLs() map[string]string {
	return map[string]string{
		"chat.example.com": "chat.example.com", "ftp://a.example.com": "ftp", "http://": "http", "https://a b": "a b",
		"https://a:0": "a:0", "https://a:99999": "99999", "https://a:": "a:", "https://1.2.3": "1.2.3",
		"https://user:hunter2@a.example.com": "password", "https://a.example.com/?key=hunter2": "parameters",
		"https://a.example.com#x": "fragment", "https://ü.example.com": "ü",
	}
}

// badModels are invalid lists of models.
func badModels() map[string]string {
	return map[string]string{
		"gpt 4": "gpt 4", "a/b,a b": "a b", "a/b,mödel": "mödel", "a/b," + strings.Repeat("m", 201): "mmm", "a/b,c/d,a/b": "a/b",
		"[1]": "JSON", `["a/b"`: "JSON", `[""]`: "not a model name", `[" "]`: "not a model name", `["a b"]`: "a b", ",": "names no model", "[]": "names no model",
	}
}

// badDatabases are invalid URLs of a database.
func badDatabases() map[string]string {
	return map[string]string{
		"  ": "not set", "chat.db": "not a URL", "mysql://u:p@h/chat": "neither",
		"postgresql+asyncpg://u:p@h/chat": "driver", "sqlite+aiosqlite:///chat.db": "driver",
		"postgresql://u:p@h": "no database", "postgresql://u:p@h/": "no database", "postgresql://u:p@h/a/b": "slash",
		"postgresql://u:p@h:70000/chat": "port", "postgresql://u:p@h:x/chat": "cannot be read",
		"postgresql://u:p#w@h/chat": "cannot be read", "postgresql://u:p%zz@h/chat": "cannot be read",
		"postgresql://u:p@h/chat?sslmode=maybe": "sslmode", "postgresql://u:p@h/chat?a=%zz": "parameters",
		"postgresql://u:hunter2@x@h/chat": "an @ too many", "postgresql://u:hunter2/x@h/chat": "a / in the password",
		"postgresql://u:1/hunter2@h/chat": "a / in the password", "postgresql://u:1@x/hunter2@h/chat": "an @ too many",
		"postgresql://u:hunter2 x@h/chat": "cannot be read", "postgresql://u:p@%2/chat": "cannot be read",
		"postgresql://u:p@h/chat?schema=app": "schema", "postgresql://u:p@h/chat?currentSchema=app": "currentSchema",
		"postgresql://u:p@h/chat?keepalives=1": "keepalives", "postgresql://u:p@h/chat?sslmode=require&sslcrl=a": "sslcrl",
		"postgresql://u:p@h/chat?pgbouncer=true": "pgbouncer", "postgresql://u:p@h/chat?hun ter2=1": "cannot be read",
		"postgresql://u:p@h/chat?hunter2!=1": "invalid parameter name", "postgresql://u:p@h/chat?a": "parameters", "postgresql://u:p@h/chat?=1": "parameters",
		"sqlite://kept.db": "two slashes", "sqlite://": "no file", "sqlite:///": "no file", "sqlite:///:memory:": "plain file",
		"sqlite:///file:chat.db": "plain file", "sqlite:///chat.db?mode=ro": "parameters", "sqlite:///data/": "folder",
		"sqlite:///a\x01b.db": "control",
	}
}

// badAttachmentsURLs are invalid values of ATTACHMENTS_URL.
func badAttachmentsURLs() map[string]string {
	return map[string]string{
		"data/files": "not a file://", "ftp://host/files": "not a file://", "file://files": "two slashes", "file:///": "no folder",
		"file:////": "no folder", "file:///..": "no folder", "file:///a?b": "a ? or #", "s3://": "no bucket", "s3:///files": "no bucket",
		"s3://key:hunter2@files": "user or key", "s3://files?key=hunter2": "parameter", "s3://files?region=a&region=b": "twice",
		"s3://files?endpoint=minio:9000": "endpoint", "s3://files?endpoint=https://a/b": "endpoint", "s3://files#a": "cannot be read",
		"s3://files/a/../b": "path",
	}
}

func tooManyModels(values map[string]string) map[string]string {
	values["a,b,c,d"] = "4 models"

	return values
}

// badValues are values that are rejected, each with a word of its problem.
func badValues() map[string]map[string]string {
	whole := func(tooMany string) map[string]string {
		return map[string]string{"-1": "-1", "many": "many", "1.5": "1.5", tooMany: tooMany, "99999999999999999999": "999"}
	}
	timeout := map[string]string{"20": "20", "-1s": "-1s", "2h": "2h", "soon": "soon"}

	values := map[string]map[string]string{
		"DATABASE_URL":       badDatabases(),
		"DATABASE_MAX_CONNS": whole("10001"),
		"JWT_SECRET": {
			" ": "not set", goodSecret[:31]: "shorter", goodSecret + "\n": "white space", strings.Repeat("a", 64): "repeats",
			strings.Repeat("ab", 32): "repeats", "0123456789abcdef0123456789abcdef": "repeats",
			goodSecret + ",short": "number 2", goodSecret + ",": "number 2", goodSecret + ", " + otherSecret: "white space",
			goodSecret + "," + goodSecret: "repeated", goodSecret[:20] + "," + goodSecret: "number 1",
			"change-me-to-32-random-bytes-or-more": "placeholder", "YOUR_JWT_SECRET_GOES_HERE_AND_IS_LONG": "placeholder",
		},
		"OPENROUTER_API_KEY":          {"": "not set", "sk or": "white space", "sk-\x7f": "character", "your-api-key": "placeholder"},
		"OPENROUTER_BASE_URL":         badURLs(),
		"OPENROUTER_MODEL":            {"gpt 4": "gpt 4", strings.Repeat("m", 201): "mmm", "mödel": "mödel"},
		"OPENROUTER_FALLBACK_MODELS":  tooManyModels(badModels()),
		"MODELS":                      badModels(),
		"TITLE_MODEL":                 {"gpt 4": "gpt 4", strings.Repeat("m", 201): "mmm", "mödel": "mödel"},
		"OPENROUTER_MAX_TOKENS":       whole("1000001"),
		"OPENROUTER_SITE_URL":         badURLs(),
		"OPENROUTER_APP_NAME":         {"a\nb": "control", strings.Repeat("n", 201): "201 bytes", "a\xff": "UTF-8"},
		"UPSTREAM_FIRST_BYTE_TIMEOUT": mapsOr(timeout, "0s"),
		"UPSTREAM_IDLE_TIMEOUT":       mapsOr(timeout, "0s"),
		"SYSTEM_PROMPT":               {"a\x00b": "control", strings.Repeat("p", 100_001): "100001", "a\xff": "UTF-8"},
		"HOST":                        {"127.0.0.1:80": "127.0.0.1:80", "a b": "a b", "[::1": "[::1", "http://a": "http://a", "256.1.1.1": "256", "a..b": "a..b", "fe80::1%eth0": "eth0"},
		"PORT":                        whole("65536"),
		"PUBLIC_URL":                  badURLs(),
		"CORS_ORIGINS": {
			"*": "wildcard", "https://*.example.com": "wildcard", `["*"]`: "wildcard", "null": "null", "app.example.com": "app.example.com",
			"https://a.example.com/": "origin", "https://a.example.com/x": "origin", "https://u:p@a.example.com": "origin",
			"ws://a.example.com": "ws", "file://": "origin", "capacitor://localhost/x": "origin", "https://a:0": "a:0", "[1]": "JSON", `["https://a"`: "JSON", `[""]`: "origin",
		},
		"ALLOWED_IMAGE_DOMAINS": {
			"https://a.example.com": "https", "*.example.com": "*", "a.example.com:443": "443", "a.example.com/x": "/x", "a b": "a b",
			"[1]": "JSON", `[""]`: "not a host name",
		},
		"TRUSTED_PROXIES": {
			"proxy": "proxy", "10.0.0.0/33": "33", "10.0.0": "10.0.0", "fe80::1%eth0": "eth0", "0.0.0.0/0": "every address",
			"::/0": "every address", "::ffff:0.0.0.0/96": "every address", "10.0.0.1,x": `"x"`,
		},
		"RATE_LIMIT_PER_MINUTE": whole("1000001"),
		"MAX_SESSIONS_PER_USER": mapsOr(whole("1000001"), "0"),
		"MAX_MESSAGE_CHARS":     mapsOr(whole("100001"), "0"),
		"HISTORY_MAX_MESSAGES":  mapsOr(whole("1000001"), "0"),
		"HISTORY_MAX_CHARS":     mapsOr(whole("10000001"), "0", "499"),
		"RUN_MAX_SECONDS":       mapsOr(whole("86401"), "0"),
		"RUN_LOG_TTL":           timeout,
		"RUN_LOG_MAX_BYTES":     whole("1099511627777"),
		"SHUTDOWN_TIMEOUT":      timeout,
		"REDIS_URL": {
			"localhost:6379": "not a redis", "http://:hunter2@h": "not a redis", "redis://": "host", "redis:///0": "host",
			"redis://:hunter2@h:70000": "port", "redis://:hunter2@h:x": "cannot be read", "redis://:hun#ter2@h": "cannot be read",
			"redis://:hunter2%zz@h": "cannot be read", "redis://:hunter2@h/x": "path", "redis://:hunter2@h/-1": "path",
			"redis://:hunter2@h/0/1": "path", "redis://:hunter2@h?db=1": "parameters", "redis://hunter2@h": "no password",
			"redis://user:@h": "no password", "unix:///run/redis.sock": "not a redis", "rediss://:hunter2@a b": "cannot be read",
		},
		"MCP_SERVERS": {"no/such/mcp.json": "cannot be read", "refuse_test.go": "line 1", ".": "cannot be read"},
		"JWKS_URL": {
			"id.example.com/keys": "id.example.com/keys", "ftp://id.example.com": "ftp", "https://": "https", "https://a b": "a b",
			"https://u:hunter2@id.example.com": "password", "https://id.example.com/#hunter2": "fragment", "https://id:0/": "id:0",
			"http://id.example.com/keys": "not https", "http://10.0.0.1/keys": "not https", "http://localhost.example.com": "not https",
		},
		"JWT_MAX_TTL":  {"soon": "soon", "0s": "0s", "59s": "59s", "-1h": "-1h", "876001h": "876001h", "365d": "365d"},
		"JWT_ISSUER":   {"https://a b": "a b", strings.Repeat("i", 2001): "iii", "a\x00b": "issuer"},
		"JWT_AUDIENCE": {"a b": "a b", strings.Repeat("i", 2001): "iii", "[1]": "JSON", `[""]`: "audience", ",": "no audience"},
		"METRICS_ADDR": {
			"9090": "9090", "127.0.0.1": "127.0.0.1", "http://127.0.0.1:9090": "http", "127.0.0.1:": "127.0.0.1:", "127.0.0.1:99999": "99999",
			"127.0.0.1:http": "http", "a b:9090": "a b", ":+9": "+9", ":8080": "HOST and PORT", "localhost:8080": "HOST and PORT",
			"127.0.0.1:8080": "HOST and PORT", "[::]:8080": "HOST and PORT",
		},
	}
	maps.Copy(values, badWords())
	maps.Copy(values, badFiles(whole))
	return values
}

// badWords are invalid values of settings that accept one of a few words.
func badWords() map[string]map[string]string {
	return map[string]map[string]string{
		"SEND_LOCALE": {"yes": "neither true nor false", "0": "neither true nor false"},
		"LOG_LEVEL":   {"loud": "loud", "3": "3"},
		"LOG_FORMAT":  {"xml": "xml"},
	}
}

// badFiles are invalid values of the settings for files.
func badFiles(whole func(string) map[string]string) map[string]map[string]string {
	return map[string]map[string]string{
		"AWS_ACCESS_KEY_ID":     {"a b": "white space", "key\x7f": "white space"},
		"AWS_SECRET_ACCESS_KEY": {"a b": "white space", "schlüssel": "white space"},

		"ATTACHMENTS_URL":      badAttachmentsURLs(),
		"ATTACHMENT_MAX_BYTES": whole("104857601"),
		"ATTACHMENT_MAX_BYTES_PER_USER": {
			"many": "many", "-1": "-1", "1099511627777": "1099511627777", "10485759": "less than ATTACHMENT_MAX_BYTES",
		},
		"ATTACHMENT_TYPES": {
			"png": "png", "image/png; q=1": "image/png", "image/svg+xml": "svg", "image/bmp": "bmp", "text/plain,text/plain": "twice",
			"image/*": "image/*", "*/*": "*/*", ",": "not a list", "[1]": "not a list", "a/b/c": "a/b/c",
		},
	}
}

// mapsOr returns a copy of values with further ones, whose problem quotes them.
func mapsOr(values map[string]string, more ...string) map[string]string {
	all := maps.Clone(values)
	for _, value := range more {
		all[value] = value
	}

	return all
}

// whole sets a value. With a setting of an identity server it also sets the others
// that are required.
func whole(name, value string) env {
	if !slices.Contains([]string{"JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"}, name) {
		return with(name, value)
	}

	return withIdentity(name, value)
}

func TestBadValuesAreRefused(t *testing.T) {
	t.Parallel()

	for name, values := range badValues() {
		for value, word := range values {
			t.Run(name+"="+value[:min(len(value), 40)], func(t *testing.T) {
				t.Parallel()

				faults := faultsOf(t, whole(name, value), config.Options{})
				if len(faults) != 1 || faults[0].Name != name {
					t.Fatalf("got the faults %v, want one of %s", faults, name)
				}

				if !strings.Contains(faults[0].Problem, word) {
					t.Errorf("the problem %q does not say %q", faults[0].Problem, word)
				}

				if text := faults.Error(); strings.Contains(text, "hunter2") {
					t.Errorf("a password is shown: %s", text)
				}

				if len(faults[0].String()) > 400 {
					t.Errorf("the fault has %d bytes", len(faults[0].String()))
				}
			})
		}
	}
}

func TestEverySettingHasBadValues(t *testing.T) {
	t.Parallel()

	bad := badValues()
	for _, setting := range config.All() {
		if len(bad[setting.Name]) == 0 {
			t.Errorf("no bad value of %s is tested", setting.Name)
		}
	}
}

func TestAllFaultsAreReported(t *testing.T) {
	t.Parallel()

	e := env{}

	var want []string

	for _, setting := range config.All() {
		want = append(want, setting.Name)

		for value := range badValues()[setting.Name] {
			e[setting.Name] = value
		}
	}

	// This one is compared with another only when both can be read.
	e["HISTORY_MAX_CHARS"] = "x"
	// With JWKS_URL this one need not be set.
	e["JWT_SECRET"] = "short"

	got := namesOf(faultsOf(t, e, config.Options{}))
	for _, name := range want {
		if !slices.Contains(got, name) {
			t.Errorf("no fault of %s among %q", name, got)
		}
	}

	missing := namesOf(faultsOf(t, env{}, config.Options{}))
	if !slices.Equal(missing, []string{"DATABASE_URL", "JWT_SECRET", "OPENROUTER_API_KEY"}) {
		t.Errorf("an empty environment gave faults of %q", missing)
	}
}

func TestSeveralFaultsOfOneList(t *testing.T) {
	t.Parallel()

	faults := faultsOf(t, with("CORS_ORIGINS", "*,a,https://ok.example.com,https://b/"), config.Options{})
	if names := namesOf(faults); !slices.Equal(names, []string{"CORS_ORIGINS", "CORS_ORIGINS", "CORS_ORIGINS"}) {
		t.Errorf("got %v", faults)
	}
}

// A secret in the wrong setting is not shown.
func TestSecretsInOtherSettingsAreNotShown(t *testing.T) {
	t.Parallel()

	for _, secret := range []string{goodDatabase, goodSecret, goodKey} {
		for _, setting := range config.All() {
			if setting.Secret {
				continue
			}

			for _, value := range []string{secret, secret[:10], "x " + secret + "/*"} {
				faults := faultsOf(t, with(setting.Name, value), config.Options{})
				if faults != nil && strings.Contains(faults.Error(), secret[:10]) {
					t.Errorf("%s shows the secret: %v", setting.Name, faults)
				}
			}
		}
	}
}
