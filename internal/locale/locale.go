// Package locale finds out which locale the caller of a request prefers.
package locale

import (
	"context"
	"strings"

	"golang.org/x/text/language"
)

// maxHeaderBytes bounds what is parsed. Browsers send less than 100 bytes.
const maxHeaderBytes = 1000

// Preferred returns the locale that the values of an Accept-Language header
// (RFC 9110, section 12.5.4) prefer: a canonical BCP 47 tag such as "fr-CA". It
// is empty where the header names no language, is malformed or very long.
//
// The tag has a language, a script and a region, each a registered code. A
// client can send free text in a tag's extensions and private subtags, so they
// are left out: the tag is shown to a model.
func Preferred(values []string) string {
	header := strings.Join(values, ",")
	if len(header) > maxHeaderBytes {
		return ""
	}
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return ""
	}
	for _, tag := range tags {
		if canonical, ok := canonicalTag(tag); ok {
			return canonical
		}
	}
	return ""
}

// canonicalTag returns false for a tag that names no single language: "und", or
// "mul", which is what the package makes of "*".
func canonicalTag(tag language.Tag) (string, bool) {
	base, script, region := tag.Raw()
	switch base.String() {
	case "und", "mul", "mis", "zxx":
		return "", false
	}
	canonical, err := language.Compose(base, script, region)
	return canonical.String(), err == nil
}

type contextKey struct{}

// WithTag returns a context that carries the caller's locale.
func WithTag(ctx context.Context, tag string) context.Context {
	return context.WithValue(ctx, contextKey{}, tag)
}

// FromContext returns the caller's locale; it is empty where none is known.
func FromContext(ctx context.Context) string {
	tag, _ := ctx.Value(contextKey{}).(string)
	return tag
}
