// Package config reads the server's settings from the environment, checks all of
// them and reports all faults at once.
package config

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// Settings are the server's valid settings. [All] documents each of them.
type Settings struct {
	// Demo says that the settings were loaded for the demo. Then each of
	// Database, JWTSecrets and OpenRouterAPIKey may be unset, and the caller
	// provides a file, a random secret and a replacement for the model service.
	Demo bool

	Database         Database
	DatabaseMaxConns int
	// JWTSecrets verify tokens; the first one signs them. There may be none if
	// Identity is set.
	JWTSecrets []Secret
	Identity   Identity
	JWTMaxTTL  time.Duration // how far in the future a token's exp may be

	OpenRouterAPIKey         Secret
	OpenRouterBaseURL        string // without a slash at the end
	OpenRouterModel          string
	OpenRouterFallbackModels []string // at most three, without repetitions
	OpenRouterSiteURL        string   // empty: not sent
	OpenRouterAppName        string   // empty: not sent
	OpenRouterMaxTokens      int      // 0: no limit
	UpstreamFirstByteTimeout time.Duration
	UpstreamIdleTimeout      time.Duration
	SystemPrompt             string
	// SendLocale says whether the user's locale is sent to the model.
	SendLocale bool
	// Models are the models that clients may choose, without repetitions.
	// OpenRouterModel is always one of them.
	Models     []string
	TitleModel string // empty: no model writes titles

	Host string // an IP address without brackets, or a name
	Port int    // 0: any free port
	// PublicURL has no slash at the end. Empty: see ServerURL.
	PublicURL string
	// CORSOrigins are in the form that browsers send, without repetitions: in
	// lower case, without the scheme's default port.
	CORSOrigins []string
	// AllowedImageDomains are host names in lower case, without repetitions.
	AllowedImageDomains []string
	// TrustedProxies are masked. None is IPv4-mapped IPv6.
	TrustedProxies []netip.Prefix

	Attachments Attachments

	RedisURL           Secret // not set: each replica counts by itself
	RateLimitPerMinute int    // requests from one address; 0: no limit
	MaxSessionsPerUser int
	MaxMessageChars    int // code points
	HistoryMaxMessages int
	HistoryMaxChars    int // code points; never less than MaxMessageChars

	RunMaxTime     time.Duration
	RunLogTTL      time.Duration
	RunLogMaxBytes int

	MCPServers []MCPServer // by name

	LogLevel        slog.Level
	LogFormat       LogFormat
	ShutdownTimeout time.Duration

	MetricsAddr string // in the form of net.Listen; empty: no metrics
	Tracing     Tracing
}

// ListenAddress returns HOST and PORT in the form of net.Listen.
func (s Settings) ListenAddress() string {
	return net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
}

// ServerURL returns the URL at which clients reach the server: PUBLIC_URL, or else
// http at the address "host:port" that the server listens on, which has the port if
// PORT is 0. For a listener on all addresses the host is localhost.
func (s Settings) ServerURL(listening string) string {
	if s.PublicURL != "" {
		return s.PublicURL
	}

	host, port, err := net.SplitHostPort(listening)
	if err != nil {
		return "http://" + listening
	}

	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}

	return "http://" + net.JoinHostPort(host, port)
}

// LogFormat is the format of log lines.
type LogFormat string

// The log formats.
const (
	LogAuto LogFormat = ""     // text on a terminal, otherwise JSON
	LogText LogFormat = "text" // key=value
	LogJSON LogFormat = "json"
)

// Driver is a kind of database.
type Driver string

// The drivers.
const (
	Postgres Driver = "postgres"
	SQLite   Driver = "sqlite"
)

// Database says where the sessions are stored. The zero value is not set.
type Database struct {
	Driver Driver
	// DSN is the connection URL of PostgreSQL, as it was set. It may contain a
	// password.
	DSN Secret
	// Path is the path of the SQLite file, relative or absolute.
	Path string
}

// IsSet is false for the zero value.
func (d Database) IsSet() bool { return d.Driver != "" }

// Secret is a value that is hidden in formatted text, logs and JSON.
type Secret struct{ value string }

// NewSecret returns a secret with the value.
func NewSecret(value string) Secret { return Secret{value: value} }

// Reveal returns the value.
func (s Secret) Reveal() string { return s.value }

// IsSet is false for the empty secret.
func (s Secret) IsSet() bool { return s.value != "" }

// String says only whether the secret is set.
func (s Secret) String() string {
	if s.value == "" {
		return "(not set)"
	}

	return "(secret)"
}

// Format hides the value from every verb of package fmt, including unknown verbs.
func (s Secret) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, s.String())
}

// LogValue hides the value in logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the value in JSON and other encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
