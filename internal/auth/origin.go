package auth

import (
	"net/http"
	"strings"
)

// isSafe tells the methods that change nothing (RFC 9110, section 9.2.1).
func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// parseOrigin reads a serialised origin (RFC 6454, section 6.2) of the web:
// its scheme, http or https, and its host in lower case without the scheme's
// own port. "null" and every other scheme are refused.
func parseOrigin(s string) (scheme, host string, ok bool) {
	scheme, host, ok = strings.Cut(strings.ToLower(s), "://")
	if !ok || (scheme != "http" && scheme != "https") {
		return "", "", false
	}

	if host == "" || host[0] == ':' || strings.ContainsAny(host, "/?#@\\, \t") {
		return "", "", false
	}

	return scheme, withoutDefaultPort(scheme, host), true
}

func withoutDefaultPort(scheme, host string) string {
	if scheme == "https" {
		return strings.TrimSuffix(host, ":443")
	}

	return strings.TrimSuffix(host, ":80")
}

// isOwnOrAllowed tells whether the one Origin of a request is the server's own
// or among the allowed. Which of http and https the client used is not known
// behind a proxy that ends TLS, so for the own origin either will do.
func isOwnOrAllowed(r *http.Request, allowed map[string]bool) bool {
	values := r.Header.Values("Origin")
	if len(values) != 1 {
		return false
	}

	scheme, host, ok := parseOrigin(values[0])
	if !ok {
		return false
	}

	own := withoutDefaultPort(scheme, strings.ToLower(r.Host))

	return host == own || allowed[scheme+"://"+host]
}

// AllowsOrigin tells whether the request's Origin is the server's own or among
// the allowed. A request without one, or with several, has none that is.
func (g *Gate) AllowsOrigin(r *http.Request) bool {
	return isOwnOrAllowed(r, g.allowed)
}
