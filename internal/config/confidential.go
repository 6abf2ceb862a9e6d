package config

import (
	"net/url"
	"slices"
	"strings"
)

// minHiddenPassword is in bytes; a shorter one is found in innocent words.
const minHiddenPassword = 8

// Confidential are the values that no line of the log may hold, the longest
// first: one may be a part of another.
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

	for _, connection := range []Secret{s.Database.DSN, s.RedisURL} {
		values = append(values, passwordsOf(connection.Reveal())...)
	}

	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })

	return slices.Compact(values)
}

// passwordsOf is the password of a connection's URL, as it is written there and
// as it is sent. One that is a name in the URL too says nothing by itself.
func passwordsOf(connection string) []string {
	u, err := url.Parse(connection)
	if err != nil {
		return nil
	}

	_, written, _ := strings.Cut(u.User.String(), ":")
	password, _ := u.User.Password()

	var passwords []string

	for _, value := range []string{written, password, u.Query().Get("password")} {
		isName := value == u.User.Username() || value == strings.TrimPrefix(u.Path, "/")
		if len(value) >= minHiddenPassword && !isName {
			passwords = append(passwords, value)
		}
	}

	return passwords
}
