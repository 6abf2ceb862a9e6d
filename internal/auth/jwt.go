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
	// MaxTokenBytes is the longest token looked at.
	MaxTokenBytes = 8 << 10
	// Leeway is how far an issuer's clock may be ahead of ours: nbf and iat
	// may be that far in the future. exp has none: expired is expired.
	Leeway = 30 * time.Second
)

// The algorithms. HS256 goes with a secret, the others with the public keys
// of an identity server, and never the other way round.
const (
	hs256 = "HS256"
	rs256 = "RS256"
	es256 = "ES256"
	edDSA = "EdDSA"
)

// Verifier turns a token into the principal it stands for.
type Verifier interface {
	// Verify returns an *InvalidTokenError when the token is refused. Any
	// other error means that it could not be judged (keys out of reach).
	Verify(ctx context.Context, token string) (Principal, error)
}

// Options say whose tokens a JWT takes: those signed with a secret, those of
// an identity server, or both.
type Options struct {
	// Secrets verify tokens signed with HS256. While one is replaced there
	// are several. Each has MinSecretBytes or more.
	Secrets [][]byte
	// Keys are the identity server's; nil: there is none.
	Keys *KeySet
	// Issuer is the iss that the identity server's tokens have.
	Issuer string
	// Audiences are the aud of which they have one at least.
	Audiences []string
}

// JWT verifies JWTs (RFC 7519). It is safe for concurrent use.
type JWT struct {
	options Options
	secrets jwt.VerificationKeySet
	methods []string
	parser  *jwt.Parser
	// verified are tokens that need no second look before they expire.
	verified verified
}

var _ Verifier = (*JWT)(nil)

// NewJWT makes a verifier. The error says which option is wrong.
func NewJWT(o Options) (*JWT, error) {
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
			return nil, errors.New("an identity server's tokens need an issuer and an audience to be held against")
		}
	}

	if len(v.methods) == 0 {
		return nil, errors.New("neither a secret nor an identity server is given")
	}

	v.parser = jwt.NewParser(
		jwt.WithValidMethods(v.methods),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(Leeway),
		jwt.WithStrictDecoding(),
	)

	return v, nil
}

// Verify takes a token in the compact form (RFC 7515, section 7.1) with an exp
// in the future and a good sub; one of the identity server also has its iss,
// one of the aud, and the kid of the key that signed it.
func (v *JWT) Verify(ctx context.Context, token string) (Principal, error) {
	if len(token) > MaxTokenBytes {
		return Principal{}, invalid(fmt.Sprintf("the token is longer than %d bytes", MaxTokenBytes))
	}

	// Go's base64 skips line breaks, so one token would have many spellings.
	if strings.ContainsFunc(token, notInToken) {
		return Principal{}, invalid("the token is not a JWT")
	}

	// Keys that change meanwhile are newer than the judgement.
	hash, keys := sha256.Sum256([]byte(token)), v.options.Keys.generation()
	if principal, ok := v.verified.find(hash, keys); ok {
		return principal, nil
	}

	var claims jwt.RegisteredClaims

	parsed, err := v.parser.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		return v.keyOf(ctx, t, &claims)
	})

	var refused *InvalidTokenError

	switch {
	case err == nil:
	case errors.As(err, &refused):
		return Principal{}, refused
	case errors.Is(err, ErrKeysUnavailable):
		return Principal{}, ErrKeysUnavailable
	case ctx.Err() != nil:
		return Principal{}, ctx.Err()
	default:
		return Principal{}, invalid(v.reason(parsed, err))
	}

	if err := v.checkClaims(parsed, &claims); err != nil {
		return Principal{}, err
	}

	principal := Principal{UserID: claims.Subject}
	v.verified.keep(hash, judgement{principal: principal, expires: claims.ExpiresAt.Time, keys: keys})

	return principal, nil
}

// keyOf finds the key that the token must be signed with. The algorithm alone
// decides between the secrets and the identity server's keys, and is one that
// the parser let pass.
func (v *JWT) keyOf(ctx context.Context, token *jwt.Token, claims *jwt.RegisteredClaims) (any, error) {
	alg := token.Method.Alg()
	if alg == hs256 {
		return v.secrets, nil
	}

	// Said first: whose keys are elsewhere has an unknown kid as well.
	if claims.Issuer != v.options.Issuer {
		return nil, invalid("the token's issuer (iss) is not the one whose tokens are taken here")
	}

	kid, _ := token.Header["kid"].(string)
	if kid == "" {
		return nil, invalid("the token does not name its key (kid)")
	}

	return v.options.Keys.key(ctx, kid, alg)
}

// checkClaims looks at what the library does not, or not so strictly.
func (v *JWT) checkClaims(token *jwt.Token, claims *jwt.RegisteredClaims) error {
	// An extension marked critical must be refused by who does not know it
	// (RFC 7515, section 4.1.11); the library does not look.
	if _, ok := token.Header["crit"]; ok {
		return invalid("the token has critical headers (crit), and none is supported")
	}

	// The library grants its leeway to exp too.
	if !time.Now().Before(claims.ExpiresAt.Time) {
		return invalid("the token has expired")
	}

	meantForUs := func(audience string) bool { return slices.Contains(v.options.Audiences, audience) }
	if token.Method.Alg() != hs256 && !slices.ContainsFunc(claims.Audience, meantForUs) {
		return invalid("the token's audience (aud) is not this server")
	}

	if err := checkSubject(claims.Subject); err != nil {
		return invalid(err.Error())
	}

	return nil
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
func (v *JWT) reason(token *jwt.Token, err error) string {
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return "the token is not a JWT"
	case token == nil, token.Method == nil, !slices.Contains(v.methods, token.Method.Alg()):
		return "the token is not signed with " + strings.Join(v.methods, ", ")
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
