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
	// minHidden is the least length of what is hidden, in bytes; less stands
	// in many a text by chance.
	minHidden = 4
	// maxLogged bounds a text of others in the log, in characters.
	maxLogged = 500
	hidden    = "[hidden]"
)

// redactor takes a server's secrets out of texts that others wrote.
type redactor struct {
	// log is for the log, which is the better the less it tells.
	log *strings.Replacer
	// result is for what a model reads: it leaves values that are no secrets by
	// their look, such as a folder, or the tool would be of no use.
	result *strings.Replacer
}

func newRedactor(s Server) redactor {
	all := slices.Concat(s.Hidden, s.Secrets)
	secrets := slices.Clone(s.Secrets)
	for _, value := range s.Hidden {
		secrets = append(secrets, secretsIn(value)...)
	}
	if u, err := url.Parse(s.URL); err == nil && s.URL != "" {
		// A path or a parameter may be the key, and errors tell the whole URL.
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
	// minSecret is the least length of a value that may be a secret, in bytes.
	minSecret = 8
	// longWord is a length no plain word has, in bytes.
	longWord = 20
)

// secretsIn are the parts of a value that are secrets by their look: of a URL
// its password and such parts of its path and its query, of others the whole.
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

// looksSecret is false of paths, plain words and numbers.
func looksSecret(value string) bool {
	if len(value) < minSecret || isPath(value) {
		return false
	}
	return len(value) >= longWord && !strings.Contains(value, "/") ||
		strings.ContainsAny(value, "0123456789") && strings.ContainsFunc(value, unicode.IsLetter)
}

// isPath asks for a second separator after a first: base64 may begin with one.
func isPath(value string) bool {
	return strings.HasPrefix(value, "./") || strings.HasPrefix(value, "../") || strings.HasPrefix(value, "~/") ||
		filepath.IsAbs(value) && strings.ContainsAny(value[1:], `/\`) && !strings.ContainsAny(value, "+=")
}

// from is the text for the log, without the secrets, within bounds.
func (r redactor) forLog(text string) string {
	text, _ = cut(clean(r.log.Replace(text)), maxLogged)
	return text
}

// result is a text for the model without the secrets.
func (r redactor) forModel(text string) string { return r.result.Replace(text) }
