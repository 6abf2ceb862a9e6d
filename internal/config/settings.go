// Package config reads the server's settings from the environment, checks all
// of them and reports every fault at once.
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

// Settings are the server's settings, checked. All() tells what each means.
type Settings struct {
	// Demo says that the settings were loaded for the demo. Then Database,
	// JWTSecrets and OpenRouterAPIKey may be unset, each for itself, and the
	// caller provides a file, a random secret and a stand-in.
	Demo bool

	Database         Database
	DatabaseMaxConns int
	// JWTSecrets all verify tokens; the first signs them. None are needed
	// where Identity is set.
	JWTSecrets []Secret
	Identity   Identity
	JWTMaxTTL  time.Duration // how far ahead a token's exp may be

	OpenRouterAPIKey         Secret
	OpenRouterBaseURL        string // without a slash at the end
	OpenRouterModel          string
	OpenRouterFallbackModels []string // each once, three at most
	OpenRouterSiteURL        string   // empty: not sent
	OpenRouterAppName        string   // empty: not sent
	OpenRouterMaxTokens      int      // 0: no bound
	UpstreamFirstByteTimeout time.Duration
	UpstreamIdleTimeout      time.Duration
	SystemPrompt             string
	// SendLocale tells the model the user's locale.
	SendLocale bool
	// Models are those that clients may pick, each once; OpenRouterModel is
	// always one.
	Models     []string
	TitleModel string // empty: titles are not asked for

	Host string // an IP address without brackets, or a name
	Port int    // 0: any free port
	// PublicURL has no slash at the end. Empty: see ServerURL.
	PublicURL string
	// CORSOrigins are written as browsers write them: lower case, without
	// the scheme's own port; each once.
	CORSOrigins []string
	// AllowedImageDomains are host names in lower case, each once.
	AllowedImageDomains []string
	// TrustedProxies are masked, and never IPv4-mapped IPv6.
	TrustedProxies []netip.Prefix

	Attachments Attachments

	RedisURL           Secret // not set: each replica limits for itself
	RateLimitPerMinute int    // requests of an address; 0: no limit
	MaxSessionsPerUser int
	MaxMessageChars    int // code points
	HistoryMaxMessages int
	HistoryMaxChars    int // code points; never less than MaxMessageChars

	MCPServers []MCPServer // by name

	LogLevel        slog.Level
	LogFormat       LogFormat
	ShutdownTimeout time.Duration

	MetricsAddr string // as net.Listen wants it; empty: no metrics
	Tracing     Tracing
}

// ListenAddress is HOST and PORT as net.Listen wants them.
func (s Settings) ListenAddress() string {
	return net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
}

// ServerURL is the URL at which clients find the server: PUBLIC_URL, or else
// http at the address the server listens on ("host:port", which alone knows the
// port when PORT is 0). A listener on all addresses is told as localhost.
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

// LogFormat is how log lines are written.
type LogFormat string

// The log formats.
const (
	LogAuto LogFormat = ""     // text on a terminal, else JSON
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

// Database says where the sessions are kept. The zero value says nowhere.
type Database struct {
	Driver Driver
	// DSN is the connection URL of PostgreSQL, as it was set. It may hold a
	// password.
	DSN Secret
	// Path is the file of SQLite, relative or absolute.
	Path string
}

// IsSet is false for the zero value.
func (d Database) IsSet() bool { return d.Driver != "" }

// Secret is a value that formatting, logging and JSON do not show.
type Secret struct{ value string }

// NewSecret makes a secret of a value.
func NewSecret(value string) Secret { return Secret{value: value} }

// Reveal returns the value, for the one place that needs it.
func (s Secret) Reveal() string { return s.value }

// IsSet is false for the empty secret.
func (s Secret) IsSet() bool { return s.value != "" }

// String tells only whether the secret is set.
func (s Secret) String() string {
	if s.value == "" {
		return "(not set)"
	}

	return "(secret)"
}

// Format keeps the value out of every verb of package fmt, the wrong ones too.
func (s Secret) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, s.String())
}

// LogValue keeps the value out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps the value out of JSON and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
