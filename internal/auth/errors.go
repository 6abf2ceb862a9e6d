package auth

import "errors"

// What can be wrong with a request. None of the texts ever holds any part of a
// token, so all of them may be shown to the client and logged.
var (
	// ErrNoToken: the request has neither an Authorization header nor the cookie.
	ErrNoToken = errors.New("no token: send the header Authorization: Bearer, a space and the token")
	// ErrInvalidToken is wrapped by every *InvalidTokenError.
	ErrInvalidToken = errors.New("invalid token")
	// ErrForbiddenOrigin: the request would change something, its token came
	// in the cookie, and its Origin is neither the server's own nor allowed.
	ErrForbiddenOrigin = errors.New("with the token in a cookie this request needs an allowed Origin header")
	// ErrKeysUnavailable: the identity server's keys were never fetched and
	// cannot be now.
	ErrKeysUnavailable = errors.New("the identity server's keys (JWKS_URL) cannot be fetched")
)

// InvalidTokenError says why a token was refused.
type InvalidTokenError struct {
	// Reason is one of a few fixed sentences, fit for the client.
	Reason string
}

// Error tells the reason.
func (e *InvalidTokenError) Error() string {
	return ErrInvalidToken.Error() + ": " + e.Reason
}

// Unwrap makes errors.Is(err, ErrInvalidToken) true.
func (e *InvalidTokenError) Unwrap() error {
	return ErrInvalidToken
}

func invalid(reason string) error {
	return &InvalidTokenError{Reason: reason}
}
