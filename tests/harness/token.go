package harness

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// tokenLifetime is the time for which a token of Token is valid.
const tokenLifetime = time.Hour

// Token returns a user's token for a server with the secret.
func Token(tb testing.TB, secret, sub string) string {
	tb.Helper()
	return Sign(tb, jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{
		"sub": sub, "iat": time.Now().Unix(), "exp": time.Now().Add(tokenLifetime).Unix(),
	})
}

// Sign returns a token with any method, key and claims.
func Sign(tb testing.TB, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	tb.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		tb.Fatalf("sign a token: %v", err)
	}
	return token
}
