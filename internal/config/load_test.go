package config_test

import (
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// TestAttachmentsURL loads both kinds of ATTACHMENTS_URL with all their parts.
func TestAttachmentsURL(t *testing.T) {
	t.Parallel()

	for value, want := range map[string]config.Attachments{
		"file:///data/files":  {Folder: "data/files"},
		"FILE:////srv/a b/é/": {Folder: "/srv/a b/é/"},
		"s3://files":          {Bucket: "files"},
		"s3://files/a/b/?endpoint=http%3A%2F%2F127.0.0.1:9000/&region=eu-central-1": {
			Bucket: "files", Prefix: "a/b", Endpoint: "http://127.0.0.1:9000", Region: "eu-central-1",
		},
	} {
		got := load(t, with("ATTACHMENTS_URL", value)).Attachments
		want.MaxBytes, want.UserBytes, want.Types = 10<<20, 1<<30, defaultTypes()

		if !reflect.DeepEqual(got, want) || !got.IsSet() {
			t.Errorf("%s is %+v", value, got)
		}
	}

	got := load(t, with(
		"ATTACHMENTS_URL", "s3://files", "ATTACHMENT_MAX_BYTES", "1", "ATTACHMENT_MAX_BYTES_PER_USER", "0",
		"ATTACHMENT_TYPES", `["image/PNG", "application/pdf"]`,
		"AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY", "s3cr3t/key+example",
	)).Attachments
	want := config.Attachments{
		Bucket: "files", MaxBytes: 1, Types: []string{"image/png", "application/pdf"},
		AccessKey: config.NewSecret("AKIAEXAMPLE"), SecretKey: config.NewSecret("s3cr3t/key+example"),
	}

	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}

	for _, one := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		_, err := config.Load(with("ATTACHMENTS_URL", "s3://files", one, "a-key-of-some-sort").get, config.Options{})
		if err == nil || !strings.Contains(err.Error(), "set both") {
			t.Errorf("%s alone: %v", one, err)
		}
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()

	got := load(t, with())
	want := config.Settings{
		Database:         config.Database{Driver: config.Postgres, DSN: config.NewSecret(goodDatabase)},
		DatabaseMaxConns: 10,
		JWTSecrets:       []config.Secret{config.NewSecret(goodSecret)},
		JWTMaxTTL:        87600 * time.Hour,

		OpenRouterAPIKey:         config.NewSecret(goodKey),
		OpenRouterBaseURL:        "https://openrouter.ai/api/v1",
		OpenRouterModel:          "~openai/gpt-mini-latest",
		OpenRouterMaxTokens:      8192,
		UpstreamFirstByteTimeout: time.Minute,
		UpstreamIdleTimeout:      time.Minute,
		SystemPrompt:             got.SystemPrompt,
		SendLocale:               true,
		Models:                   []string{"~openai/gpt-mini-latest"},

		Host: "127.0.0.1",
		Port: 8080,

		RateLimitPerMinute: 30,
		MaxSessionsPerUser: 10,
		MaxMessageChars:    500,
		HistoryMaxMessages: 40,
		HistoryMaxChars:    32000,

		RunMaxTime:     30 * time.Minute,
		RunLogTTL:      10 * time.Minute,
		RunLogMaxBytes: 64 << 20,

		LogLevel:        slog.LevelInfo,
		ShutdownTimeout: 20 * time.Second,
		Attachments:     config.Attachments{MaxBytes: 10 << 20, UserBytes: 1 << 30, Types: defaultTypes()},
	}

	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}

	if !strings.Contains(got.SystemPrompt, "helpful") {
		t.Errorf("the default prompt is %q", got.SystemPrompt)
	}
}

func TestDefaultsOfTheTable(t *testing.T) {
	t.Parallel()

	all := with()
	seen := map[string]bool{}

	for _, setting := range config.All() {
		if seen[setting.Name] || setting.Name == "" || setting.Meaning == "" {
			t.Errorf("the setting %+v is told twice or not in full", setting)
		}

		seen[setting.Name] = true

		if setting.Default != "" {
			all[setting.Name] = setting.Default
		}
	}

	if got, want := load(t, all), load(t, with()); !reflect.DeepEqual(got, want) {
		t.Errorf("with the table's defaults written out: %+v\nwith nothing: %+v", got, want)
	}

	for _, name := range []string{"DATABASE_URL", "JWT_SECRET", "OPENROUTER_API_KEY", "REDIS_URL"} {
		if !slices.ContainsFunc(config.All(), func(s config.Setting) bool { return s.Name == name && s.Secret }) {
			t.Errorf("the table does not call %s a secret", name)
		}
	}
}

func TestLoadReadsOnlySettingsOfTheTable(t *testing.T) {
	t.Parallel()

	var known []string

	for _, setting := range append(config.All(), config.TracingSettings()...) {
		known = append(known, setting.Name)
	}

	asked := map[string]bool{}
	_, err := config.Load(func(name string) string {
		asked[name] = true

		return with().get(name)
	}, config.Options{})

	if err != nil || len(asked) != len(known) {
		t.Errorf("%d settings are read, %d are known; %v", len(asked), len(known), err)
	}

	for _, name := range known {
		if !asked[name] {
			t.Errorf("%s is told but not read", name)
		}
	}
}

func TestEverySettingIsLoaded(t *testing.T) {
	t.Parallel()

	got := load(t, with(
		"DATABASE_MAX_CONNS", "25",
		"OPENROUTER_BASE_URL", " http://127.0.0.1:11434/v1/ ",
		"OPENROUTER_MODEL", "meta-llama/llama-3.3-70b-instruct:free",
		"OPENROUTER_FALLBACK_MODELS", ` ["b/second", "c/third"] `,
		"MODELS", "a/first, meta-llama/llama-3.3-70b-instruct:free,,b/second", "TITLE_MODEL", " tiny/titles ",
		"OPENROUTER_MAX_TOKENS", "0",
		"OPENROUTER_SITE_URL", "https://chat.example.com",
		"OPENROUTER_APP_NAME", "Mein Chat für alle",
		"UPSTREAM_FIRST_BYTE_TIMEOUT", "1500ms",
		"UPSTREAM_IDLE_TIMEOUT", "1h",
		"SYSTEM_PROMPT", "Line one.\nLine two.", "SEND_LOCALE", "False",
		"HOST", "[::1]", "PORT", "0", "PUBLIC_URL", "https://chat.example.com/base/",
		"CORS_ORIGINS", `["https://App.example.com:443", "http://localhost:3000", "https://app.example.com", "Capacitor://localhost"]`,
		"ALLOWED_IMAGE_DOMAINS", "Images.example.com, images.example.com,192.0.2.1",
		"TRUSTED_PROXIES", "10.1.2.3/8, 192.0.2.1 ,2001:db8::/32,::ffff:172.16.0.0/108,::1",
		"REDIS_URL", " rediss://user:pa%40ss@redis.internal:6380/2", "JWT_SECRET", goodSecret+","+otherSecret,
		"JWKS_URL", "https://id.example.com/keys?v=1", "JWT_ISSUER", " https://id.example.com/ ", "JWT_AUDIENCE", "chat, other", "JWT_MAX_TTL", "720h",
		"RATE_LIMIT_PER_MINUTE", "0", "MAX_SESSIONS_PER_USER", "1", "MAX_MESSAGE_CHARS", "4000",
		"HISTORY_MAX_MESSAGES", "2", "HISTORY_MAX_CHARS", "4000",
		"RUN_MAX_SECONDS", "1", "RUN_LOG_TTL", "0s", "RUN_LOG_MAX_BYTES", "0",
		"LOG_LEVEL", "WARN", "LOG_FORMAT", "JSON", "SHUTDOWN_TIMEOUT", "0s",
	))
	want := config.Settings{
		Database:         config.Database{Driver: config.Postgres, DSN: config.NewSecret(goodDatabase)},
		DatabaseMaxConns: 25,
		JWTSecrets:       []config.Secret{config.NewSecret(goodSecret), config.NewSecret(otherSecret)},
		JWTMaxTTL:        720 * time.Hour,
		Identity: config.Identity{
			JWKSURL: "https://id.example.com/keys?v=1", Issuer: "https://id.example.com/", Audiences: []string{"chat", "other"},
		},

		OpenRouterAPIKey:         config.NewSecret(goodKey),
		OpenRouterBaseURL:        "http://127.0.0.1:11434/v1",
		OpenRouterModel:          "meta-llama/llama-3.3-70b-instruct:free",
		OpenRouterFallbackModels: []string{"b/second", "c/third"},
		Models:                   []string{"a/first", "meta-llama/llama-3.3-70b-instruct:free", "b/second"},
		TitleModel:               "tiny/titles",
		OpenRouterSiteURL:        "https://chat.example.com",
		OpenRouterAppName:        "Mein Chat für alle",
		UpstreamFirstByteTimeout: 1500 * time.Millisecond,
		UpstreamIdleTimeout:      time.Hour,
		SystemPrompt:             "Line one.\nLine two.",

		Host:                "::1",
		Port:                0,
		PublicURL:           "https://chat.example.com/base",
		CORSOrigins:         []string{"https://app.example.com", "http://localhost:3000", "capacitor://localhost"},
		AllowedImageDomains: []string{"images.example.com", "192.0.2.1"},
		TrustedProxies: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"),
			netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("172.16.0.0/12"),
			netip.MustParsePrefix("::1/128"),
		},

		RedisURL:           config.NewSecret("rediss://user:pa%40ss@redis.internal:6380/2"),
		RateLimitPerMinute: 0,
		MaxSessionsPerUser: 1,
		MaxMessageChars:    4000,
		HistoryMaxMessages: 2,
		HistoryMaxChars:    4000,

		RunMaxTime: time.Second, RunLogTTL: 0, RunLogMaxBytes: 0,

		LogLevel:        slog.LevelWarn,
		LogFormat:       config.LogJSON,
		ShutdownTimeout: 0,
		Attachments:     config.Attachments{MaxBytes: 10 << 20, UserBytes: 1 << 30, Types: defaultTypes()},
	}

	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestOriginsAreSplitAtCommas(t *testing.T) {
	t.Parallel()

	got := load(t, with("CORS_ORIGINS", " https://a.example.com, ,http://[::1]:3000,"))
	if !slices.Equal(got.CORSOrigins, []string{"https://a.example.com", "http://[::1]:3000"}) {
		t.Errorf("a comma list gave %q", got.CORSOrigins)
	}
}

func TestDefaultModelIsAlwaysAllowed(t *testing.T) {
	t.Parallel()

	got := load(t, with("OPENROUTER_MODEL", "a/first", "MODELS", "b/second"))
	if !slices.Equal(got.Models, []string{"a/first", "b/second"}) {
		t.Errorf("clients may pick %q", got.Models)
	}
}

func TestDatabases(t *testing.T) {
	t.Parallel()

	postgres := func(dsn string) config.Database {
		return config.Database{Driver: config.Postgres, DSN: config.NewSecret(dsn)}
	}
	sqlite := func(path string) config.Database {
		return config.Database{Driver: config.SQLite, Path: path}
	}
	tests := map[string]config.Database{
		"postgresql://localhost/chat":                     postgres("postgresql://localhost/chat"),
		"postgres://u:p%40ss@h:5432/chat?sslmode=require": postgres("postgres://u:p%40ss@h:5432/chat?sslmode=require"),
		"POSTGRES://h/chat":                               postgres("postgres://h/chat"),
		"postgresql://u:p@%2Frun%2Fpostgresql/chat":       postgres("postgresql://u:p@%2Frun%2Fpostgresql/chat"),
		"postgresql://[::1]:5432/chat":                    postgres("postgresql://[::1]:5432/chat"),
		"postgresql://u:p@a:1,%2Frun,[::1]:2/chat":        postgres("postgresql://u:p@a:1,%2Frun,[::1]:2/chat"),
		"postgresql://u:p@h/chat?search_path=a&my.x=1":    postgres("postgresql://u:p@h/chat?search_path=a&my.x=1"),
		"postgresql://u:p@h/chat?options=-c%20a%3Db@c":    postgres("postgresql://u:p@h/chat?options=-c%20a%3Db@c"),
		"postgresql:///chat?host=/run/postgresql":         postgres("postgresql:///chat?host=/run/postgresql"),
		"postgresql://h?dbname=chat":                      postgres("postgresql://h?dbname=chat"),
		"postgresql://a:5432,b:5432/chat":                 postgres("postgresql://a:5432,b:5432/chat"),
		"sqlite:///chat.db":                               sqlite("chat.db"),
		"sqlite:///data/chat.db":                          sqlite("data/chat.db"),
		"sqlite:///./data/a b.db":                         sqlite("./data/a b.db"),
		"sqlite:////var/lib/chat.db":                      sqlite("/var/lib/chat.db"),
	}
	for value, want := range tests {
		t.Run(value, func(t *testing.T) {
			t.Parallel()

			if got := load(t, with("DATABASE_URL", value)).Database; got != want || !got.IsSet() {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestDemoNeedsNothing(t *testing.T) {
	t.Parallel()

	s, err := config.Load(env{}.get, config.Options{Demo: true})
	if err != nil {
		t.Fatalf("Load: %v", err)
	}

	if !s.Demo || s.Database.IsSet() || s.JWTSecrets != nil || s.OpenRouterAPIKey.IsSet() || s.Port != 8080 {
		t.Errorf("got %+v", s)
	}

	full, err := config.Load(with().get, config.Options{Demo: true})
	if err != nil || !full.Database.IsSet() || len(full.JWTSecrets) != 1 || !full.OpenRouterAPIKey.IsSet() {
		t.Errorf("a full environment in the demo gave %+v, %v", full, err)
	}

	faults := faultsOf(t, with("DATABASE_URL", "mysql://x", "JWT_SECRET", "short"), config.Options{Demo: true})
	if names := namesOf(faults); !slices.Equal(names, []string{"DATABASE_URL", "JWT_SECRET"}) {
		t.Errorf("bad values in the demo gave faults of %q", names)
	}
}

func TestOnlyTheNamedSettingsCount(t *testing.T) {
	t.Parallel()

	e := env{"JWT_SECRET": goodSecret, "PORT": "nonsense", "REDIS_URL": "redis://x"}

	s, err := config.Load(e.get, config.Options{Only: []string{"JWT_SECRET"}})
	if err != nil || s.JWTSecrets[0].Reveal() != goodSecret || s.Port != 8080 {
		t.Errorf("got %+v, %v", s, err)
	}

	faults := faultsOf(t, e, config.Options{Only: []string{"PORT", "DATABASE_URL"}})
	if names := namesOf(faults); !slices.Equal(names, []string{"DATABASE_URL", "PORT"}) {
		t.Errorf("got faults of %q", names)
	}
}
