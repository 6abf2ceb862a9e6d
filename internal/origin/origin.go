// Package origin reads origins: the values of CORS_ORIGINS and of the Origin
// header that browsers and app shells send.
package origin

import (
	"slices"
	"strings"
)

// Origin is a serialized origin (RFC 6454, section 6.2) in its canonical form:
// lower case, without the scheme's default port. Two origins are the same if
// they are equal.
type Origin struct {
	Scheme string
	// Host has the port, if there is one.
	Host string
}

// String writes the origin as browsers do.
func (o Origin) String() string { return o.Scheme + "://" + o.Host }

// IsWeb reports whether the origin is that of a web page. Others are apps and
// browser extensions, such as capacitor://localhost.
func (o Origin) IsWeb() bool { return o.Scheme == "http" || o.Scheme == "https" }

// Parse reads an origin. It refuses "null", and schemes whose pages never send
// an origin of their own.
func Parse(text string) (Origin, bool) {
	scheme, host, ok := strings.Cut(strings.ToLower(text), "://")
	if !ok || !isScheme(scheme) || slices.Contains(schemesWithoutOrigin, scheme) {
		return Origin{}, false
	}
	o := Origin{Scheme: scheme, Host: host}
	if host == "" || host[0] == ':' || strings.ContainsFunc(host, o.forbidsInHost) {
		return Origin{}, false
	}
	switch scheme {
	case "http":
		o.Host = strings.TrimSuffix(host, ":80")
	case "https":
		o.Host = strings.TrimSuffix(host, ":443")
	}
	return o, true
}

// schemesWithoutOrigin are those whose documents have the origin "null" or that
// have no documents.
var schemesWithoutOrigin = []string{"about", "blob", "data", "file", "ftp", "javascript", "ws", "wss"}

// isScheme follows RFC 3986, section 3.1, in lower case.
func isScheme(scheme string) bool {
	return scheme != "" && isLetter(rune(scheme[0])) && !strings.ContainsFunc(scheme, func(r rune) bool {
		return !isLetter(r) && !isDigit(r) && !strings.ContainsRune("+-.", r)
	})
}

// forbidsInHost keeps a list, a path or a user out of the host. An app's host
// is a plain name; a page's may also be an IPv6 address.
func (o Origin) forbidsInHost(r rune) bool {
	if o.IsWeb() {
		return r <= ' ' || strings.ContainsRune(`/?#@\,`, r)
	}
	return !isLetter(r) && !isDigit(r) && !strings.ContainsRune("-._:", r)
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' }
func isDigit(r rune) bool  { return r >= '0' && r <= '9' }
