package auth

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/origin"
)

// CookieName is the cookie that may carry the token instead of the
// Authorization header.
const CookieName = "auth-token"

// Authenticator finds the principal of a request.
type Authenticator struct {
	verifier Verifier
	allowed  map[origin.Origin]bool
}

// NewAuthenticator returns an Authenticator. Pages of the allowed origins may
// change something with the token in the cookie, as the server's own pages may.
// The error names a value that is not an origin.
func NewAuthenticator(verifier Verifier, allowedOrigins []string) (*Authenticator, error) {
	a := &Authenticator{verifier: verifier, allowed: make(map[origin.Origin]bool, len(allowedOrigins))}
	for _, text := range allowedOrigins {
		allowed, ok := origin.Parse(text)
		if !ok {
			return nil, fmt.Errorf("%q is not an origin: want a scheme, ://, a host and perhaps a port", text)
		}

		a.allowed[allowed] = true
	}

	return a, nil
}

// Authenticate returns the principal of the request. It reads no body. The
// Authorization header decides alone where there is one; the cookie counts only
// without it.
//
// It returns ErrNoToken, an *InvalidTokenError or ErrForbiddenOrigin; any other
// error is the verifier's and means that the token could not be verified.
func (a *Authenticator) Authenticate(r *http.Request) (Principal, error) {
	token, fromCookie, err := tokenOf(r)
	if err != nil {
		return Principal{}, err
	}

	principal, err := a.verifier.Verify(r.Context(), token)
	if err != nil {
		return Principal{}, err
	}

	// Browsers also send the cookie with requests that pages of other sites
	// make.
	if fromCookie && !isSafe(r.Method) && !a.AllowsOrigin(r) {
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

	// Another host of the same domain can add a second cookie; the request does
	// not say which is whose.
	if len(cookies) > 1 {
		return "", invalid("the request has more than one " + CookieName + " cookie")
	}

	if cookies[0].Value == "" {
		return "", ErrNoToken
	}

	return cookies[0].Value, nil
}
