package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// MinSecretBytes is the shortest secret taken (RFC 7518, section 3.2:
	// a key as long as the hash).
	MinSecretBytes = 32
	// MaxTokenBytes is the longest token looked at.
	MaxTokenBytes = 8 << 10
	// Leeway is how far an issuer's clock may be ahead of ours: nbf and iat
	// may be that far in the future. exp has none: expired is expired.
	Leeway = 30 * time.Second
)

// Verifier turns a token into the principal it stands for.
type Verifier interface {
	// Verify returns an *InvalidTokenError when the token is refused. Any
	// other error means that it could not be judged (keys out of reach).
	Verify(ctx context.Context, token string) (Principal, error)
}

// HS256 verifies JWTs (RFC 7519) signed with HMAC-SHA256 and a shared secret.
// It is safe for concurrent use.
type HS256 struct {
	keys   jwt.VerificationKeySet
	parser *jwt.Parser
}

var _ Verifier = (*HS256)(nil)

// NewHS256 takes the secret and, while it is being replaced, the older ones
// that are still good. Each has MinSecretBytes or more.
func NewHS256(secret []byte, older ...[]byte) (*HS256, error) {
	h := &HS256{
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
			jwt.WithExpirationRequired(),
			jwt.WithIssuedAt(),
			jwt.WithLeeway(Leeway),
			jwt.WithStrictDecoding(),
		),
	}

	for _, s := range append([][]byte{secret}, older...) {
		if err := checkSecret(s); err != nil {
			return nil, err
		}

		h.keys.Keys = append(h.keys.Keys, slices.Clone(s))
	}

	return h, nil
}

// Verify takes a token in the compact form (RFC 7515, section 7.1) with alg
// HS256, an exp in the future and a good sub.
func (h *HS256) Verify(_ context.Context, token string) (Principal, error) {
	if len(token) > MaxTokenBytes {
		return Principal{}, invalid(fmt.Sprintf("the token is longer than %d bytes", MaxTokenBytes))
	}

	// Go's base64 skips line breaks, so one token would have many spellings.
	if strings.ContainsFunc(token, notInToken) {
		return Principal{}, invalid("the token is not a JWT")
	}

	var claims jwt.RegisteredClaims

	parsed, err := h.parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) {
		return h.keys, nil
	})
	if err != nil {
		return Principal{}, invalid(reason(parsed, err))
	}

	// An extension marked critical must be refused by who does not know it
	// (RFC 7515, section 4.1.11); the library does not look.
	if _, ok := parsed.Header["crit"]; ok {
		return Principal{}, invalid("the token has critical headers (crit), and none is supported")
	}

	// The library grants its leeway to exp too.
	if !time.Now().Before(claims.ExpiresAt.Time) {
		return Principal{}, invalid("the token has expired")
	}

	if err := checkSubject(claims.Subject); err != nil {
		return Principal{}, invalid(err.Error())
	}

	return Principal{UserID: claims.Subject}, nil
}

func notInToken(r rune) bool {
	switch {
	case r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r >= '0' && r <= '9':
		return false
	default:
		return r != '-' && r != '_' && r != '.'
	}
}

// reason says in fixed words what the library said, whose own texts may hold
// parts of the token.
func reason(token *jwt.Token, err error) string {
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return "the token is not a JWT"
	case token == nil, token.Method == nil, token.Method.Alg() != jwt.SigningMethodHS256.Alg():
		return "the token is not signed with HS256"
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return "the token's signature does not match"
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return "the token has no expiry (exp)"
	case errors.Is(err, jwt.ErrTokenExpired):
		return "the token has expired"
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return "the token is not valid yet (nbf)"
	case errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return "the token was issued in the future (iat)"
	default:
		return "the token cannot be verified"
	}
}

func checkSecret(secret []byte) error {
	if len(secret) < MinSecretBytes {
		return fmt.Errorf("the secret has %d bytes: it needs %d or more", len(secret), MinSecretBytes)
	}

	return nil
}
