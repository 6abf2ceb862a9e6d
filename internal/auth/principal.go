// Package auth finds out who sends a request, from a JWT in the Authorization
// header or in a cookie, and carries that in the request's context.
package auth

import "context"

// Principal is the authenticated caller.
type Principal struct {
	// UserID is the token's sub: not blank, at most MaxSubjectBytes bytes,
	// valid UTF-8 without control characters.
	UserID string
}

type principalKey struct{}

// WithPrincipal returns a context that carries p.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalFrom returns the context's principal; false when it has none.
func PrincipalFrom(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(Principal)

	return p, ok
}

// UserID returns the caller's id. It is empty where the context has no
// principal; the server refuses such a request to an operation that needs one.
func UserID(ctx context.Context) string {
	p, _ := PrincipalFrom(ctx)

	return p.UserID
}
