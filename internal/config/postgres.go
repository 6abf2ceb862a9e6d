package config

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

const (
	parameterHint = "write them as name=value, joined by &"
	missingName   = "put its name after the host: postgresql://user:password@host:5432/database"
)

// foreignParameters are parameters of other clients of PostgreSQL that this one
// does not support, with what to do instead.
var foreignParameters = map[string]string{
	"schema": useSearchPath, "currentschema": useSearchPath,
	"fallback_application_name": "write application_name instead",
	"connection_limit":          useMaxConns, "pool_max_conns": useMaxConns, "pool_size": useMaxConns, "max_connections": useMaxConns,
	"pgbouncer":  "remove it: a connection pooler is recognized by itself",
	"keepalives": useKeepAlive, "keepalives_idle": useKeepAlive, "keepalives_interval": useKeepAlive,
	"keepalives_count": useKeepAlive, "tcp_user_timeout": useKeepAlive,
	"gssencmode": removeIt, "gssdelegation": removeIt, "gsslib": removeIt, "hostaddr": "write host instead",
	"load_balance_hosts": removeIt, "pool_timeout": removeIt, "replication": removeIt, "requirepeer": removeIt,
	"requiressl": useSSLMode, "scram_client_key": removeIt, "scram_server_key": removeIt, "socket_timeout": removeIt,
	"sslaccept": useSSLMode, "sslcertmode": removeIt, "sslcompression": removeIt, "sslcrl": removeIt, "sslcrldir": removeIt,
	"ssl_max_protocol_version": removeIt, "ssl_min_protocol_version": removeIt,
}

const (
	removeIt      = "remove it"
	useSearchPath = "write search_path instead"
	useMaxConns   = "remove it and set DATABASE_MAX_CONNS"
	useKeepAlive  = "remove it: the server keeps connections alive without it"
	useSSLMode    = "write sslmode instead"
)

// sslModes are the values of sslmode.
var sslModes = []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}

// postgresURL is a URL of PostgreSQL, split into its parts as libpq does. Unlike
// other URLs it may have several hosts, and a host may be the percent-encoded folder
// of a socket.
type postgresURL struct {
	user, hosts, path, query string
	hasQuery                 bool
}

func cutPostgresURL(value string) postgresURL {
	_, rest, _ := strings.Cut(value, "://")

	var parts postgresURL

	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		parts.user, rest = rest[:i], rest[i+1:]
	}

	rest, parts.query, parts.hasQuery = strings.Cut(rest, "?")
	parts.hosts, parts.path, _ = strings.Cut(rest, "/")

	return parts
}

// parsePostgres checks a URL as far as possible without a connection. Errors of
// parsers contain the URL, so none of them is shown.
func parsePostgres(value string) (database Database, problem, fix string) {
	u := cutPostgresURL(value)

	parameters, problem, fix := parsePostgresQuery(u)
	if problem == "" {
		problem, fix = checkPostgresURL(u, value, parameters)
	}

	if problem != "" {
		return Database{}, problem, fix
	}

	// The driver accepts the scheme in lower case only.
	scheme, rest, _ := strings.Cut(value, "://")

	return Database{Driver: Postgres, DSN: NewSecret(strings.ToLower(scheme) + "://" + rest)}, "", ""
}

func checkPostgresURL(u postgresURL, value string, parameters map[string]string) (problem, fix string) {
	path, err := url.PathUnescape(u.path)

	switch {
	case strings.ContainsAny(u.hosts+u.path, "@"):
		return "cannot be read as a URL: it has an @ too many, or a / in the password", encodeHint
	case strings.ContainsFunc(value, notInURL), err != nil, !canDecode(u.user), !canDecode(u.hosts):
		return "cannot be read as a URL", encodeHint
	case path == "" && parameters["dbname"] == "":
		return "names no database", missingName
	case strings.Contains(path, "/"):
		return "has a slash in the database's name", encodeHint
	}

	for host := range strings.SplitSeq(u.hosts, ",") {
		if problem, fix := checkPostgresHost(host); problem != "" {
			return problem, fix
		}
	}

	return checkPostgresParameters(parameters)
}

// checkPostgresHost checks one host, with its port if it has one.
func checkPostgresHost(host string) (problem, fix string) {
	if i := strings.LastIndexByte(host, ']'); i >= 0 {
		host = host[i+1:]
	}

	_, port, hasPort := strings.Cut(host, ":")

	switch {
	case !hasPort, port == "":
		return "", ""
	case strings.Trim(port, "0123456789") != "":
		return "cannot be read as a URL: its port is not a number", encodeHint
	case !validPort(port):
		return "has a port outside 1 to 65535", "correct the port"
	}

	return "", ""
}

// parsePostgresQuery parses the parameters. The last value of a name is used.
func parsePostgresQuery(u postgresURL) (parameters map[string]string, problem, fix string) {
	parameters = make(map[string]string)

	if u.query == "" {
		return parameters, "", ""
	}

	for pair := range strings.SplitSeq(u.query, "&") {
		written, value, ok := strings.Cut(pair, "=")
		name, errName := url.PathUnescape(written)
		value, errValue := url.PathUnescape(value)

		if !ok || name == "" || errName != nil || errValue != nil {
			return nil, "has parameters after ? that cannot be read", parameterHint
		}

		parameters[name] = value
	}

	return parameters, "", ""
}

func checkPostgresParameters(parameters map[string]string) (problem, fix string) {
	if mode, ok := parameters["sslmode"]; ok && !slices.Contains(sslModes, mode) {
		return "has an unknown sslmode", "use one of " + strings.Join(sslModes, ", ")
	}

	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if advice, ok := foreignParameters[strings.ToLower(name)]; ok {
			return "has the parameter " + name + ", which this server does not know", advice
		}

		if !parameterName.MatchString(name) {
			return "has an invalid parameter name after ?", parameterHint + "; a ? in the password is %3F"
		}
	}

	return "", ""
}

// parameterName matches the names of PostgreSQL's parameters, which extensions
// prefix with their own name.
var parameterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*$`)

func canDecode(part string) bool {
	_, err := url.PathUnescape(part)

	return err == nil
}

// notInURL reports whether no URL of PostgreSQL contains r. libpq has no fragments,
// so # is not accepted.
func notInURL(r rune) bool { return r == '#' || unicode.IsSpace(r) || unicode.IsControl(r) }
