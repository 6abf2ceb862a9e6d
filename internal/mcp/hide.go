package mcp

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

const (
	// minHidden is the least length of what is hidden, in bytes; less stands
	// in many a text by chance.
	minHidden = 4
	// maxLogged bounds a text of others in the log, in characters.
	maxLogged = 500
	hidden    = "[hidden]"
)

// hider takes a server's secrets out of texts that others wrote.
type hider struct{ replacer *strings.Replacer }

func newHider(s Server) hider {
	secrets := slices.Clone(s.Hidden)
	if u, err := url.Parse(s.URL); err == nil && s.URL != "" {
		// A path or a parameter may be the key, and errors tell the whole URL.
		secrets = append(secrets, s.URL, u.String(), u.Redacted(), u.RequestURI(), u.RawQuery)
	}
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, secret := range secrets {
		if len(secret) >= minHidden {
			pairs = append(pairs, secret, hidden)
		}
	}
	return hider{strings.NewReplacer(pairs...)}
}

// from is the text without the secrets, within bounds.
func (h hider) from(text string) string {
	text, _ = cut(clean(h.replacer.Replace(text)), maxLogged)
	return text
}
