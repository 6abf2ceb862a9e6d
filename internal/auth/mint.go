package auth

import (
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Mint makes a token for sub that a JWT with the same secret takes from now on
// until ttl, a second or more, is over. JWT times are whole seconds, so it may
// end up to a second early. The error says which of the arguments is wrong.
func Mint(secret []byte, sub string, ttl time.Duration, now time.Time) (string, error) {
	if err := checkSecret(secret); err != nil {
		return "", err
	}

	if err := checkSubject(sub); err != nil {
		return "", err
	}

	if ttl < time.Second {
		return "", fmt.Errorf("a token that lives %s: it must live 1s or more", ttl)
	}

	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Subject:   sub,
		IssuedAt:  jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
	}).SignedString(secret)
	if err != nil {
		return "", fmt.Errorf("sign the token: %w", err)
	}

	return token, nil
}
