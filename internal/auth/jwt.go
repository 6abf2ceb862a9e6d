package auth

import (
	"context"
	"crypto/sha256"
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
	// MaxTokenBytes is the longest token that is parsed.
	MaxTokenBytes = 8 << 10
)

// The algorithms. HS256 goes with a secret, the others with the public keys
// of an identity server, and never the other way round.
const (
	hs256 = "HS256"
	rs256 = "RS256"
	es256 = "ES256"
	edDSA = "EdDSA"
)

// Verifier returns the principal of a token.
type Verifier interface {
	// Verify returns an *InvalidTokenError when the token is refused. Any
	// other error means that the token could not be verified: the keys are
	// unavailable, or ctx is done.
	Verify(ctx context.Context, token string) (Principal, error)
}

// Options say which tokens a JWT accepts: those signed with a secret, those of
// an identity server, or both.
type Options struct {
	// Secrets verify tokens signed with HS256; several while one replaces
	// another. Each has MinSecretBytes or more.
	Secrets [][]byte
	// Keys are the identity server's; nil is no identity server.
	Keys *KeySet
	// Issuer is the iss that the identity server's tokens must have.
	Issuer string
	// Audiences are the names of this server, of which the aud of the identity
	// server's tokens must hold one.
	Audiences []string
	// MaxTTL is how far ahead exp may be; 0 is DefaultMaxTTL.
	MaxTTL time.Duration
}

// JWT verifies JWTs (RFC 7519). It is safe for concurrent use.
type JWT struct {
	options Options
	secrets jwt.VerificationKeySet
	methods []string
	parser  *jwt.Parser
	cache   tokenCache
}

var _ Verifier = (*JWT)(nil)

// NewJWT returns a verifier. The error says which option is wrong.
func NewJWT(o Options) (*JWT, error) {
	if o.MaxTTL == 0 {
		o.MaxTTL = DefaultMaxTTL
	}

	v := &JWT{options: o}

	for _, secret := range o.Secrets {
		if err := checkSecret(secret); err != nil {
			return nil, err
		}

		v.secrets.Keys = append(v.secrets.Keys, slices.Clone(secret))
	}

	if len(o.Secrets) > 0 {
		v.methods = append(v.methods, hs256)
	}

	if o.Keys != nil {
		v.methods = append(v.methods, rs256, es256, edDSA)

		if o.Issuer == "" || len(o.Audiences) == 0 {
			return nil, errors.New("the tokens of an identity server need an issuer and an audience")
		}
	}

	if len(v.methods) == 0 {
		return nil, errors.New("neither a secret nor an identity server is given")
	}

	v.parser = jwt.NewParser(
		jwt.WithValidMethods(v.methods),
		jwt.WithoutClaimsValidation(), // checkTimes and its like name the claim that is wrong
		jwt.WithStrictDecoding(),
	)

	return v, nil
}

// Verify accepts a token in the compact form (RFC 7515, section 7.1) with an
// exp in the future and a sub. A token of the identity server must also have
// its iss and one of the audiences.
func (v *JWT) Verify(ctx context.Context, token string) (Principal, error) {
	if len(token) > MaxTokenBytes {
		return Principal{}, invalid(fmt.Sprintf("the token is longer than %d bytes", MaxTokenBytes))
	}

	// Go's base64 skips line breaks, so one token would have many spellings.
	if strings.ContainsFunc(token, notInToken) {
		return Principal{}, invalid("the token is not a JWT")
	}

	// The generation is read before the key: keys that are fetched in between
	// make the cached result too old, never too new.
	hash, keys := sha256.Sum256([]byte(token)), v.options.Keys.generation()
	if principal, ok := v.cache.find(hash, keys); ok {
		return principal, nil
	}

	parsed, claims, err := v.parse(ctx, token)
	if err != nil {
		return Principal{}, err
	}

	principal, expires, err := v.checkClaims(parsed, claims)
	if err != nil {
		return Principal{}, err
	}

	v.cache.add(hash, cachedToken{principal: principal, expires: expires.Add(Leeway), keys: keys})

	return principal, nil
}

// parse verifies the signature of a token and returns its claims unchecked.
// They are a map, since a struct would also match names in other cases.
func (v *JWT) parse(ctx context.Context, token string) (*jwt.Token, jwt.MapClaims, error) {
	claims := jwt.MapClaims{}
	parsed, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		return v.keyOf(ctx, t, claims)
	})

	var refused *InvalidTokenError

	switch {
	case err == nil:
		return parsed, claims, nil
	case errors.As(err, &refused):
		return nil, nil, refused
	case errors.Is(err, ErrKeysUnavailable):
		return nil, nil, ErrKeysUnavailable
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	default:
		return nil, nil, invalid(v.reason(parsed, err))
	}
}

// keyOf returns the key that the token must be signed with. The algorithm alone
// decides between the secrets and the identity server's keys; the parser has
// checked that it is one of v.methods.
func (v *JWT) keyOf(ctx context.Context, token *jwt.Token, claims jwt.MapClaims) (any, error) {
	alg := token.Method.Alg()
	if alg == hs256 {
		return v.secrets, nil
	}

	// The issuer is checked before the key, because a token of another issuer
	// has an unknown kid too and its issuer is the better reason.
	issuer, err := textClaim(claims, "iss")
	if err != nil {
		return nil, err
	}

	if issuer != v.options.Issuer {
		return nil, invalid("the token's issuer (iss) is not the one whose tokens are taken here")
	}

	kid, _ := token.Header["kid"].(string)

	return v.options.Keys.key(ctx, kid, alg)
}

// checkClaims validates what a good signature does not: the critical headers
// and the claims. It returns the principal and exp.
func (v *JWT) checkClaims(token *jwt.Token, claims jwt.MapClaims) (Principal, time.Time, error) {
	// A token with critical headers must be refused by a recipient that does
	// not support them (RFC 7515, section 4.1.11); the library ignores them.
	if _, ok := token.Header["crit"]; ok {
		return Principal{}, time.Time{}, invalid("the token has critical headers (crit), and none is supported")
	}

	expires, err := checkTimes(claims, v.options.MaxTTL)
	if err != nil {
		return Principal{}, time.Time{}, err
	}

	if token.Method.Alg() != hs256 {
		if err := checkAudience(claims, v.options.Audiences); err != nil {
			return Principal{}, time.Time{}, err
		}
	}

	user, err := userOf(claims)
	if err != nil {
		return Principal{}, time.Time{}, err
	}

	return Principal{UserID: user}, expires, nil
}

func notInToken(r rune) bool {
	switch {
	case r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r >= '0' && r <= '9':
		return false
	default:
		return r != '-' && r != '_' && r != '.'
	}
}

// reason describes a parse error in fixed sentences; the library's own texts may
// hold parts of the token.
func (v *JWT) reason(token *jwt.Token, err error) string {
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return "the token is not a JWT"
	case token == nil, token.Method == nil, !slices.Contains(v.methods, token.Method.Alg()):
		return "the token is not signed with " + strings.Join(v.methods, ", ")
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return "the token's signature does not match"
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
