package config

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Options says which settings are needed.
type Options struct {
	// Demo lets DATABASE_URL, JWT_SECRET and OPENROUTER_API_KEY be unset.
	Demo bool
	// Only, if not empty, names the settings that a command uses. Faults of the
	// others are ignored, and those have their defaults.
	Only []string
	// Names are the names of all variables that are set, for Tracing.Unread.
	Names []string
}

const (
	maxCount   = 1_000_000
	maxChars   = 10_000_000
	maxConns   = 10_000
	maxPort    = 65_535
	maxTimeout = time.Hour
	maxTTL     = 100 * 365 * 24 * time.Hour

	maxRunSeconds  = 24 * 60 * 60
	maxRunLogBytes = 1 << 40
)

// Load reads the settings with getenv, which returns "" for a variable that is not
// set. White space around a value is ignored, and a blank value means that the
// setting is not set. The error is a [Faults] with all faults.
func Load(getenv func(string) string, opts Options) (Settings, error) {
	l := newLoader(getenv)
	s := Settings{Demo: opts.Demo}

	s.Database = l.database(!opts.Demo)
	s.DatabaseMaxConns = l.number("DATABASE_MAX_CONNS", 1, maxConns)
	s.JWTSecrets = l.jwtSecrets(!opts.Demo && l.value("JWKS_URL") == "")
	s.Identity = l.identity()
	s.JWTMaxTTL = l.durationUpTo("JWT_MAX_TTL", time.Minute, maxTTL)
	l.upstream(&s, !opts.Demo)
	s.SystemPrompt = l.text("SYSTEM_PROMPT", maxPromptBytes, true)
	s.SendLocale = l.boolean("SEND_LOCALE")
	s.Host = l.host("HOST")
	s.Port = l.number("PORT", 0, maxPort)
	s.PublicURL = l.webURL("PUBLIC_URL")
	s.CORSOrigins = l.origins("CORS_ORIGINS")
	s.AllowedImageDomains = l.hostNames("ALLOWED_IMAGE_DOMAINS")
	s.TrustedProxies = l.prefixes("TRUSTED_PROXIES")
	s.RedisURL = l.redisURL("REDIS_URL")
	l.limits(&s)
	l.runs(&s)
	s.LogLevel = l.logLevel("LOG_LEVEL")
	s.LogFormat = l.logFormat("LOG_FORMAT")
	s.ShutdownTimeout = l.duration("SHUTDOWN_TIMEOUT", 0)
	s.MetricsAddr = l.metricsAddr("METRICS_ADDR", s)
	s.Tracing = l.tracing(opts.Names)
	s.MCPServers = l.mcpServers("MCP_SERVERS")
	s.Attachments = l.attachments()

	faults := l.faults
	if len(opts.Only) > 0 {
		faults = faults.only(opts.Only)
	}

	if len(faults) > 0 {
		return Settings{}, faults
	}

	return s, nil
}

// upstream reads the settings of the model service.
func (l *loader) upstream(s *Settings, required bool) {
	s.OpenRouterAPIKey = l.apiKey(required)
	s.OpenRouterBaseURL = l.webURL("OPENROUTER_BASE_URL")
	s.OpenRouterModel = l.modelName("OPENROUTER_MODEL")
	s.OpenRouterFallbackModels = l.modelNames("OPENROUTER_FALLBACK_MODELS", maxFallbacks)
	s.Models = l.allowedModels("MODELS", s.OpenRouterModel)
	s.TitleModel = l.modelName("TITLE_MODEL")
	s.OpenRouterMaxTokens = l.number("OPENROUTER_MAX_TOKENS", 0, maxCount)
	s.OpenRouterSiteURL = l.webURL("OPENROUTER_SITE_URL")
	s.OpenRouterAppName = l.text("OPENROUTER_APP_NAME", maxNameBytes, false)
	s.UpstreamFirstByteTimeout = l.duration("UPSTREAM_FIRST_BYTE_TIMEOUT", time.Millisecond)
	s.UpstreamIdleTimeout = l.duration("UPSTREAM_IDLE_TIMEOUT", time.Millisecond)
}

// limits reads the limits of requests, sessions, messages and history.
func (l *loader) limits(s *Settings) {
	s.RateLimitPerMinute = l.number("RATE_LIMIT_PER_MINUTE", 0, maxCount)
	s.MaxSessionsPerUser = l.number("MAX_SESSIONS_PER_USER", 1, maxCount)
	s.MaxMessageChars = l.number("MAX_MESSAGE_CHARS", 1, maxMessageChars)
	s.HistoryMaxMessages = l.number("HISTORY_MAX_MESSAGES", 1, maxCount)
	s.HistoryMaxChars = l.number("HISTORY_MAX_CHARS", 1, maxChars)

	if s.HistoryMaxChars < s.MaxMessageChars {
		l.fault("HISTORY_MAX_CHARS",
			fmt.Sprintf("is %d, less than MAX_MESSAGE_CHARS (%d), so a long message could not be sent to the model",
				s.HistoryMaxChars, s.MaxMessageChars),
			"raise it, or lower MAX_MESSAGE_CHARS")
	}
}

// runs reads the bounds of runs and of their event logs.
func (l *loader) runs(s *Settings) {
	s.RunMaxTime = time.Duration(l.number("RUN_MAX_SECONDS", 1, maxRunSeconds)) * time.Second
	s.RunLogTTL = l.duration("RUN_LOG_TTL", 0)
	s.RunLogMaxBytes = l.number("RUN_LOG_MAX_BYTES", 0, maxRunLogBytes)
}

func (l *loader) logLevel(name string) slog.Level {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}

	value := l.value(name)
	if level, ok := levels[strings.ToLower(value)]; ok {
		return level
	}

	l.fault(name, "is "+l.quote(value)+", not a log level", "use debug, info, warn or error")

	return slog.LevelInfo
}

func (l *loader) logFormat(name string) LogFormat {
	value := l.value(name)
	switch format := LogFormat(strings.ToLower(value)); format {
	case LogAuto, LogText, LogJSON:
		return format
	default:
		l.fault(name, "is "+l.quote(value)+", not a log format", "use text or json, or leave it unset")

		return LogAuto
	}
}
