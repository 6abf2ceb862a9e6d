package mcp

import (
	"cmp"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

const (
	// minHidden is the least length of a text that is hidden, in bytes. Shorter
	// texts occur by chance.
	minHidden = 4
	// maxLogged bounds a server's text in the log, in characters.
	maxLogged = 500
	hidden    = "[hidden]"
)

// redactor removes a server's secrets from texts that the server or the library
// wrote.
type redactor struct {
	// log removes everything that may be secret.
	log *strings.Replacer
	// result is for texts that the model reads. It keeps values that do not look
	// like secrets, such as the path of a folder, because tools need them.
	result *strings.Replacer
}

func newRedactor(s Server) redactor {
	all := slices.Concat(s.Hidden, s.Secrets)
	secrets := slices.Clone(s.Secrets)
	for _, value := range s.Hidden {
		secrets = append(secrets, secretsIn(value)...)
	}
	if u, err := url.Parse(s.URL); err == nil && s.URL != "" {
		// A path or a parameter may be the key, and errors contain the whole URL.
		all = append(all, s.URL, u.String(), u.Redacted(), u.RequestURI(), u.RawQuery)
		secrets = append(append(secrets, s.URL), secretsInURL(u)...)
	}
	return redactor{log: replacerOf(all), result: replacerOf(secrets)}
}

func replacerOf(secrets []string) *strings.Replacer {
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, secret := range secrets {
		if len(secret) >= minHidden {
			pairs = append(pairs, secret, hidden)
		}
	}
	return strings.NewReplacer(pairs...)
}

const (
	// minSecret is the least length of a value that can be a secret, in bytes.
	minSecret = 8
	// longWord is longer than plain words are, in bytes.
	longWord = 20
)

// secretsIn returns the parts of a value that look like secrets. In a URL these
// are the password and parts of the path and the query; any other value counts
// as a whole.
func secretsIn(value string) []string {
	if strings.Contains(value, "://") {
		if u, err := url.Parse(value); err == nil {
			return secretsInURL(u)
		}
	}
	if looksSecret(value) {
		return []string{value}
	}
	return nil
}

func secretsInURL(u *url.URL) []string {
	var found []string
	if password, ok := u.User.Password(); ok {
		found = append(found, password, url.QueryEscape(password), url.PathEscape(password))
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		if looksSecret(part) {
			found = append(found, part)
		}
	}
	for _, values := range u.Query() {
		for _, value := range values {
			if looksSecret(value) {
				found = append(found, value, url.QueryEscape(value))
			}
		}
	}
	return found
}

// looksSecret reports whether a value looks like a secret. Paths, plain words
// and numbers do not.
func looksSecret(value string) bool {
	if len(value) < minSecret || isPath(value) {
		return false
	}
	return len(value) >= longWord && !strings.Contains(value, "/") ||
		strings.ContainsAny(value, "0123456789") && strings.ContainsFunc(value, unicode.IsLetter)
}

// isPath reports whether a value is a path. An absolute path needs a second
// separator, because base64 may begin with one.
func isPath(value string) bool {
	return strings.HasPrefix(value, "./") || strings.HasPrefix(value, "../") || strings.HasPrefix(value, "~/") ||
		filepath.IsAbs(value) && strings.ContainsAny(value[1:], `/\`) && !strings.ContainsAny(value, "+=")
}

// forLog returns a text for the log: without the secrets, and shortened.
func (r redactor) forLog(text string) string {
	text, _ = cut(clean(r.log.Replace(text)), maxLogged)
	return text
}

// forModel returns a text for the model without the secrets.
func (r redactor) forModel(text string) string { return r.result.Replace(text) }
