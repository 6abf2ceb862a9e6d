package auth

import (
	"net/http"

	"github.com/chatkit-rest/chatkit-rest/internal/origin"
)

// isSafe reports whether the method changes nothing (RFC 9110, section 9.2.1).
func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// AllowsOrigin reports whether the request's Origin is the server's own or one
// of the allowed origins. It is false without an Origin header and with several.
func (a *Authenticator) AllowsOrigin(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) != 1 {
		return false
	}
	from, ok := origin.Parse(values[0])
	return ok && (a.allowed[from] || isOwn(from, r.Host))
}

// isOwn reports whether the origin is a page of the server itself. Behind a
// proxy that ends TLS the server cannot know whether the client used http or
// https, so either is accepted; an app's scheme is not.
func isOwn(from origin.Origin, host string) bool {
	own, ok := origin.Parse(from.Scheme + "://" + host)
	return ok && from.IsWeb() && from == own
}
