package auth

import (
	"fmt"
	"net/http"
	"strings"
)

// CookieName is the cookie that may carry the token instead of the
// Authorization header.
const CookieName = "auth-token"

// Gate authenticates requests.
type Gate struct {
	verifier Verifier
	allowed  map[string]bool
}

// NewGate makes a gate. The allowed origins, scheme://host[:port] with http or
// https, are those that may change something with the cookie besides the
// server's own. The error names the origin that is not one.
func NewGate(verifier Verifier, allowedOrigins []string) (*Gate, error) {
	g := &Gate{verifier: verifier, allowed: make(map[string]bool, len(allowedOrigins))}
	for _, origin := range allowedOrigins {
		scheme, host, ok := parseOrigin(origin)
		if !ok {
			return nil, fmt.Errorf("%q is not an origin: want http:// or https://, a host and perhaps a port", origin)
		}

		g.allowed[scheme+"://"+host] = true
	}

	return g, nil
}

// Authenticate tells who sends the request. It reads no body. A request with
// an Authorization header is judged by that alone, good or bad; the cookie
// counts only without one.
//
// Returns ErrNoToken, an *InvalidTokenError or ErrForbiddenOrigin; any other
// error is the verifier's and says that it could not judge the token.
func (g *Gate) Authenticate(r *http.Request) (Principal, error) {
	token, fromCookie, err := tokenOf(r)
	if err != nil {
		return Principal{}, err
	}

	principal, err := g.verifier.Verify(r.Context(), token)
	if err != nil {
		return Principal{}, err
	}

	// Browsers send cookies with requests that other sites' pages make.
	if fromCookie && !isSafe(r.Method) && !isOwnOrAllowed(r, g.allowed) {
		return Principal{}, ErrForbiddenOrigin
	}

	return principal, nil
}

func tokenOf(r *http.Request) (token string, fromCookie bool, err error) {
	headers := r.Header.Values("Authorization")
	switch len(headers) {
	case 0:
		token, err = cookieToken(r)

		return token, true, err
	case 1:
		token, err = bearerToken(headers[0])

		return token, false, err
	default:
		return "", false, invalid("the request has more than one Authorization header")
	}
}

// bearerToken reads RFC 6750, section 2.1; the scheme's case does not matter
// (RFC 9110, section 11.1).
func bearerToken(header string) (string, error) {
	scheme, token, _ := strings.Cut(strings.Trim(header, " \t"), " ")
	token = strings.TrimLeft(token, " ")

	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", invalid("the Authorization header is not Bearer, a space and the token")
	}

	return token, nil
}

func cookieToken(r *http.Request) (string, error) {
	cookies := r.CookiesNamed(CookieName)
	if len(cookies) == 0 {
		return "", ErrNoToken
	}

	// Another host of the same domain can add one; which is meant, nobody knows.
	if len(cookies) > 1 {
		return "", invalid("the request has more than one " + CookieName + " cookie")
	}

	if cookies[0].Value == "" {
		return "", ErrNoToken
	}

	return cookies[0].Value, nil
}
