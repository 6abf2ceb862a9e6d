package config

import (
	"net/url"
	"slices"
	"strings"
)

// minHiddenPassword is in bytes. Shorter passwords occur in ordinary words.
const minHiddenPassword = 8

// Confidential returns the values that no log line may contain, the longest first,
// since one may be a part of another.
func (s Settings) Confidential() []string {
	secrets := slices.Concat(s.JWTSecrets, []Secret{s.OpenRouterAPIKey, s.Database.DSN, s.RedisURL, s.Attachments.SecretKey})
	for _, server := range s.MCPServers {
		secrets = append(secrets, server.Secrets...)
	}

	for _, header := range s.Tracing.Headers {
		secrets = append(secrets, header)
	}

	var values []string

	for _, secret := range secrets {
		if value := secret.Reveal(); len(value) >= minHiddenPart {
			values = append(values, value)
		}
	}

	values = append(values, postgresPasswords(s.Database.DSN.Reveal())...)
	values = append(values, redisPasswords(s.RedisURL.Reveal())...)

	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })

	return slices.Compact(values)
}

// postgresPasswords returns the passwords of PostgreSQL's URL, both percent-encoded
// and decoded: the user's, and that of the key of a certificate.
func postgresPasswords(connection string) []string {
	u := cutPostgresURL(connection)
	user, password, _ := strings.Cut(u.user, ":")
	passwords := []string{password, decoded(password)}

	for pair := range strings.SplitSeq(u.query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name = decoded(name); name == "password" || name == "sslpassword" {
			passwords = append(passwords, value, decoded(value))
		}
	}

	return hideable(passwords, decoded(user), decoded(u.path))
}

// redisPasswords returns the password of Redis's URL, both percent-encoded and
// decoded.
func redisPasswords(connection string) []string {
	u, err := url.Parse(connection)
	if err != nil {
		return nil
	}

	_, written, _ := strings.Cut(u.User.String(), ":")
	password, _ := u.User.Password()

	return hideable([]string{written, password}, u.User.Username(), strings.TrimPrefix(u.Path, "/"))
}

// hideable returns the passwords to hide. It leaves out short ones, and those that
// are also a name in the URL: they would hide that name in ordinary log lines.
func hideable(passwords []string, names ...string) []string {
	return slices.DeleteFunc(passwords, func(password string) bool {
		return len(password) < minHiddenPassword || slices.Contains(names, password)
	})
}

// decoded returns the percent-decoded part, or the part itself if it is invalid.
func decoded(part string) string {
	text, err := url.PathUnescape(part)
	if err != nil {
		return part
	}

	return text
}
