package config

import (
	"strconv"
	"strings"
	"unicode"
)

const (
	databaseExamples = "use postgresql://user:password@host:5432/database or sqlite:///data/chatkit.db"
	sqliteHint       = "use sqlite:///data/chatkit.db, or four slashes for an absolute path: sqlite:////var/lib/chatkit.db"
	encodeHint       = "percent-encode special characters in its name and password (@ is %40, : is %3A, / is %2F, # is %23)"
)

// database reads DATABASE_URL. Its faults show no part of the value, since any
// part may contain a password.
func (l *loader) database(required bool) Database {
	const name = "DATABASE_URL"

	value := l.value(name)
	if value == "" {
		if required {
			l.fault(name, "is not set", databaseExamples)
		}

		return Database{}
	}

	database, problem, fix := parseDatabase(value)
	if problem != "" {
		l.fault(name, problem, fix)

		return Database{}
	}

	return database
}

// parseDatabase parses a URL of PostgreSQL or SQLite.
func parseDatabase(value string) (database Database, problem, fix string) {
	scheme, rest, ok := strings.Cut(value, "://")
	if !ok {
		return Database{}, "is not a URL", databaseExamples
	}

	scheme, driver, _ := strings.Cut(strings.ToLower(scheme), "+")
	switch scheme {
	case "postgresql", "postgres", "sqlite":
	default:
		return Database{}, "is neither a PostgreSQL nor a SQLite URL", databaseExamples
	}

	if driver != "" {
		return Database{}, "names a driver after a plus sign", "remove the plus sign and the driver: " + scheme + "://"
	}

	if scheme == "sqlite" {
		return parseSQLite(rest)
	}

	return parsePostgres(value)
}

// parseSQLite parses what follows "sqlite://". As in SQLAlchemy, the next slash
// only ends the (empty) host: sqlite:///data/x.db is the relative path data/x.db,
// and sqlite:////data/x.db is the absolute path /data/x.db. The path is not
// percent-decoded.
func parseSQLite(rest string) (database Database, problem, fix string) {
	path, ok := strings.CutPrefix(rest, "/")

	switch {
	case !ok && rest != "":
		return Database{}, "has two slashes after sqlite:, which makes the path a host", sqliteHint
	case path == "":
		return Database{}, "names no file", sqliteHint
	case strings.HasPrefix(path, ":memory:"), strings.HasPrefix(path, "file:"):
		return Database{}, "is not a plain file (a database in memory would lose the sessions at a stop)", sqliteHint
	case strings.ContainsAny(path, "?#"):
		return Database{}, "has parameters or a ? or # in the path", "remove them: the server sets what SQLite needs"
	case strings.ContainsFunc(path, unicode.IsControl):
		return Database{}, "has a control character in the path", "remove it"
	case strings.HasSuffix(path, "/"):
		return Database{}, "names a folder", sqliteHint
	}

	return Database{Driver: SQLite, Path: path}, "", ""
}

func validPort(port string) bool {
	n, err := strconv.Atoi(port)

	return err == nil && n >= 1 && n <= maxPort
}
