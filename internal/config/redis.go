package config

import (
	"net/url"
	"strconv"
	"strings"
)

const redisHint = "use redis://:password@host:6379/0, or rediss:// for TLS"

// redisURL reads REDIS_URL. Its faults show no part of the value, since any part may
// contain a password.
func (l *loader) redisURL(name string) Secret {
	value := l.value(name)
	if value == "" {
		return Secret{}
	}

	if problem, fix := checkRedisURL(value); problem != "" {
		l.fault(name, problem, fix)

		return Secret{}
	}

	return NewSecret(value)
}

func checkRedisURL(value string) (problem, fix string) {
	scheme, _, ok := strings.Cut(value, "://")
	if scheme = strings.ToLower(scheme); !ok || scheme != "redis" && scheme != "rediss" {
		return "is not a redis:// or rediss:// URL", redisHint
	}

	u, err := url.Parse(value)
	if err != nil || u.Fragment != "" {
		return "cannot be read as a URL", encodeHint
	}

	password, hasPassword := u.User.Password()
	database := strings.Trim(u.Path, "/")

	switch {
	case u.RawQuery != "" || u.ForceQuery:
		return "has parameters after ?", "remove them: the server sets its own timeouts"
	case !validHostPort(u):
		return "names no host, or a wrong host or port", redisHint
	case u.User != nil && (!hasPassword || password == ""):
		return "names a user and no password", "write redis://user:password@host, or redis://:password@host for the default user"
	case database != "" && !isDatabaseNumber(database):
		return "has a path that is not the number of a database", "write the number, such as /0, or nothing"
	}

	return "", ""
}

func isDatabaseNumber(path string) bool {
	n, err := strconv.Atoi(path)

	return err == nil && n >= 0 && strconv.Itoa(n) == path
}
