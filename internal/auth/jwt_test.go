package auth_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
)

const (
	secret      = "0123456789abcdef0123456789ABCDEF"
	otherSecret = "another-secret-of-thirty-two-bytes!!"
	// anyTTL is for tests whose tokens expire in the year 2286.
	anyTTL = math.MaxInt64
)

func newHS256(tb testing.TB, older ...[]byte) *auth.JWT {
	tb.Helper()

	h, err := auth.NewJWT(auth.Options{Secrets: append([][]byte{[]byte(secret)}, older...), MaxTTL: anyTTL})
	if err != nil {
		tb.Fatalf("NewJWT: %v", err)
	}

	return h
}

func mint(tb testing.TB, sub string) string {
	tb.Helper()

	token, err := auth.Mint([]byte(secret), sub, time.Hour, time.Now())
	if err != nil {
		tb.Fatalf("Mint(%q): %v", sub, err)
	}

	return token
}

func sign(tb testing.TB, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	tb.Helper()

	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		tb.Fatalf("sign: %v", err)
	}

	return token
}

// signRaw signs any header and payload, JSON or not.
func signRaw(header, payload, key string) string {
	enc := base64.RawURLEncoding
	text := enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(payload))
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))

	return text + "." + enc.EncodeToString(mac.Sum(nil))
}

func wantRefused(t *testing.T, token, reason string) {
	t.Helper()

	p, err := newHS256(t).Verify(t.Context(), token)
	if !errors.Is(err, auth.ErrInvalidToken) || p != (auth.Principal{}) {
		t.Fatalf("got %+v and %v, want ErrInvalidToken", p, err)
	}

	var refused *auth.InvalidTokenError
	if !errors.As(err, &refused) || refused.Reason != reason {
		t.Fatalf("got the reason %q, want %q", err, reason)
	}
}

func TestMintedTokenIsTaken(t *testing.T) {
	t.Parallel()

	for _, sub := range []string{"alice", "a b", "ünï-コード", strings.Repeat("x", auth.MaxSubjectBytes), " padded "} {
		p, err := newHS256(t).Verify(t.Context(), mint(t, sub))
		if err != nil || p.UserID != sub {
			t.Errorf("sub %q: got %+v, %v", sub, p, err)
		}
	}
}

func TestOlderSecretIsTaken(t *testing.T) {
	t.Parallel()

	h := newHS256(t, []byte(otherSecret))
	for _, key := range []string{secret, otherSecret} {
		token := sign(t, jwt.SigningMethodHS256, []byte(key), claimsWith(nil))
		if p, err := h.Verify(t.Context(), token); err != nil || p.UserID != "alice" {
			t.Errorf("got %+v, %v", p, err)
		}
	}
}

// claimsWith gives good claims with the changes; a nil value removes a claim.
func claimsWith(changes map[string]any) jwt.MapClaims {
	claims := jwt.MapClaims{"sub": "alice", "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })

	return claims
}

func TestClaimsRefused(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		changes map[string]any
		reason  string
	}{
		"expired":           {map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}, "the token has expired"},
		"expired just now":  {map[string]any{"exp": time.Now().Add(-auth.Leeway).Unix()}, "the token has expired"},
		"no exp":            {map[string]any{"exp": nil}, "the token has no expiry (exp)"},
		"exp of text":       {map[string]any{"exp": "tomorrow"}, "the token's exp is not a number of seconds since 1970"},
		"exp beyond times":  {map[string]any{"exp": -1e300}, "the token has expired"},
		"nbf of text":       {map[string]any{"nbf": "now"}, "the token's nbf is not a number of seconds since 1970"},
		"iat of a list":     {map[string]any{"iat": []int{1}}, "the token's iat is not a number of seconds since 1970"},
		"exp negative":      {map[string]any{"exp": -1}, "the token has expired"},
		"not yet":           {map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}, "the token is not valid yet (nbf)"},
		"from the future":   {map[string]any{"iat": time.Now().Add(time.Hour).Unix()}, "the token was issued in the future (iat)"},
		"no sub":            {map[string]any{"sub": nil}, "the token's sub is missing or blank"},
		"empty sub":         {map[string]any{"sub": ""}, "the token's sub is missing or blank"},
		"blank sub":         {map[string]any{"sub": " \t\u00a0\u3000"}, "the token's sub is missing or blank"},
		"sub of a number":   {map[string]any{"sub": 7}, `the token's sub is a number; it must be a text, as in "42"`},
		"sub of a list":     {map[string]any{"sub": []string{"alice"}}, "the token's sub is not a text"},
		"sub in capitals":   {map[string]any{"sub": nil, "SUB": "alice"}, "the token's sub is missing or blank"},
		"long sub":          {map[string]any{"sub": strings.Repeat("x", 256)}, "the token's sub is longer than 255 bytes"},
		"sub of long runes": {map[string]any{"sub": strings.Repeat("é", 128)}, "the token's sub is longer than 255 bytes"},
		"sub with NUL":      {map[string]any{"sub": "al\x00ice"}, "the token's sub has a control character"},
		"sub with newline":  {map[string]any{"sub": "al\nice"}, "the token's sub has a control character"},
		"sub with C1":       {map[string]any{"sub": "al\u0085ice"}, "the token's sub has a control character"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, sign(t, jwt.SigningMethodHS256, []byte(secret), claimsWith(tt.changes)), tt.reason)
		})
	}
}

// Claims that the server does not read may be of any type.
func TestUnusedClaimsAreIgnored(t *testing.T) {
	t.Parallel()

	for _, changes := range []map[string]any{
		{"jti": 7}, {"aud": 7}, {"aud": []any{1, "x"}}, {"iss": 7}, {"iat": nil}, {"roles": map[string]any{"a": 1}},
	} {
		p, err := newHS256(t).Verify(t.Context(), sign(t, jwt.SigningMethodHS256, []byte(secret), claimsWith(changes)))
		if err != nil || p.UserID != "alice" {
			t.Errorf("%v: got %+v, %v", changes, p, err)
		}
	}
}

// An exp beyond MaxTTL is refused; the default refuses milliseconds.
func TestMaxTTL(t *testing.T) {
	t.Parallel()

	seconds := func(ahead time.Duration) int64 { return time.Now().Add(ahead).Unix() }
	tests := map[string]struct {
		maxTTL  time.Duration
		exp     int64
		refused bool
	}{
		"default":              {0, seconds(5 * 365 * 24 * time.Hour), false},
		"milliseconds":         {0, time.Now().Add(time.Hour).UnixMilli(), true},
		"the largest number":   {anyTTL, math.MaxInt64, true},
		"within the setting":   {time.Hour, seconds(59 * time.Minute), false},
		"beyond the setting":   {time.Hour, seconds(61 * time.Minute), true},
		"beyond the default":   {0, seconds(auth.DefaultMaxTTL + time.Hour), true},
		"setting over default": {2 * auth.DefaultMaxTTL, seconds(auth.DefaultMaxTTL + time.Hour), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			v, err := auth.NewJWT(auth.Options{Secrets: [][]byte{[]byte(secret)}, MaxTTL: tt.maxTTL})
			if err != nil {
				t.Fatal(err)
			}

			_, err = v.Verify(t.Context(), sign(t, jwt.SigningMethodHS256, []byte(secret), claimsWith(map[string]any{"exp": tt.exp})))
			if refused := err != nil && strings.Contains(err.Error(), "JWT_MAX_TTL"); refused != tt.refused || !refused && err != nil {
				t.Errorf("got %v, want refused %t", err, tt.refused)
			}
		})
	}
}

func TestAlgorithmsRefused(t *testing.T) {
	t.Parallel()

	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatalf("make an RSA key: %v", err)
	}

	const payload = `{"sub":"alice","exp":9999999999}`

	const want = "the token is not signed with HS256"

	good := strings.Split(signRaw(`{"alg":"HS256"}`, payload, secret), ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	tests := map[string]string{
		"none":                    sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claimsWith(nil)),
		"none with our signature": signRaw(`{"alg":"none"}`, payload, secret),
		"none over a good token":  none + "." + good[1] + "." + good[2],
		"None":                    signRaw(`{"alg":"None"}`, payload, secret),
		"lower case":              signRaw(`{"alg":"hs256"}`, payload, secret),
		"empty":                   signRaw(`{"alg":""}`, payload, secret),
		"missing":                 signRaw(`{"typ":"JWT"}`, payload, secret),
		"a number":                signRaw(`{"alg":256}`, payload, secret),
		"HS384":                   sign(t, jwt.SigningMethodHS384, []byte(secret), claimsWith(nil)),
		"HS512":                   sign(t, jwt.SigningMethodHS512, []byte(secret), claimsWith(nil)),
		"RS256":                   sign(t, jwt.SigningMethodRS256, rsaKey, claimsWith(nil)),
		"RS256 signed by HMAC":    signRaw(`{"alg":"RS256"}`, payload, secret),
		"ES256 signed by HMAC":    signRaw(`{"alg":"ES256"}`, payload, secret),
	}
	for name, token := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, token, want)
		})
	}
}

func TestSignaturesRefused(t *testing.T) {
	t.Parallel()

	const header, want = `{"alg":"HS256"}`, "the token's signature does not match"

	good := signRaw(header, `{"sub":"alice","exp":9999999999}`, secret)
	evil := signRaw(header, `{"sub":"mallory","exp":9999999999}`, otherSecret)
	parts, evilParts := strings.Split(good, "."), strings.Split(evil, ".")
	tests := map[string]string{
		"another secret":    evil,
		"changed payload":   parts[0] + "." + evilParts[1] + "." + parts[2],
		"another signature": parts[0] + "." + parts[1] + "." + evilParts[2],
		"no signature":      parts[0] + "." + parts[1] + ".",
		"half a signature":  good[:len(good)-19],
	}
	for name, token := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, token, want)
		})
	}
}

func TestShapesRefused(t *testing.T) {
	t.Parallel()

	const header, payload = `{"alg":"HS256"}`, `{"sub":"alice","exp":9999999999}`

	const notJWT = "the token is not a JWT"

	good := signRaw(header, payload, secret)
	tests := map[string]struct{ token, reason string }{
		"empty":              {"", notJWT},
		"a word":             {"hello", notJWT},
		"two parts":          {good[:strings.LastIndex(good, ".")], notJWT},
		"four parts":         {good + ".x", notJWT},
		"padding":            {good + "=", notJWT},
		"a space":            {good + " ", notJWT},
		"a line break":       {good[:len(good)-4] + "\n" + good[len(good)-4:], notJWT},
		"loose last bits":    {otherSpelling(t, good), notJWT},
		"header not JSON":    {signRaw("{", payload, secret), notJWT},
		"payload not JSON":   {signRaw(header, `{"sub":`, secret), notJWT},
		"payload a list":     {signRaw(header, `[]`, secret), notJWT},
		"payload null":       {signRaw(header, `null`, secret), "the token has no expiry (exp)"},
		"critical extension": {signRaw(`{"alg":"HS256","crit":["b64"],"b64":false}`, payload, secret), "the token has critical headers (crit), and none is supported"},
		"sub with bad bytes": {signRaw(header, "{\"sub\":\"a\xff\",\"exp\":9999999999}", secret), "the token's sub is not valid UTF-8"},
		"sub half surrogate": {signRaw(header, `{"sub":"a\ud800","exp":9999999999}`, secret), "the token's sub is not valid UTF-8"},
		"too long":           {strings.Repeat("a", auth.MaxTokenBytes+1), "the token is longer than 8192 bytes"},
		"too long but good": {
			signRaw(header, `{"sub":"alice","exp":9999999999,"x":"`+strings.Repeat("a", 9000)+`"}`, secret),
			"the token is longer than 8192 bytes",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, tt.token, tt.reason)
		})
	}
}

// otherSpelling changes the last character so that only bits that a loose
// base64 decoder drops are different.
func otherSpelling(t *testing.T, token string) string {
	t.Helper()

	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

	last := strings.IndexByte(alphabet, token[len(token)-1])
	if last%4 != 0 {
		t.Fatalf("the last character of a 32-byte signature has value %d, want a multiple of 4", last)
	}

	return token[:len(token)-1] + string(alphabet[last+1])
}

func TestTimesToTheSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHS256(t)
		verify := func(token string) error {
			_, err := h.Verify(context.Background(), token)

			return err
		}

		token := mint(t, "alice")
		time.Sleep(time.Hour + auth.Leeway - time.Nanosecond)

		if err := verify(token); err != nil {
			t.Errorf("exp within the leeway: %v", err)
		}

		time.Sleep(time.Nanosecond)

		if err := verify(token); !errors.Is(err, auth.ErrInvalidToken) {
			t.Errorf("exp beyond the leeway: got %v, want a refusal", err)
		}

		for _, claim := range []string{"nbf", "iat"} {
			at := time.Now().Add(auth.Leeway)
			within := sign(t, jwt.SigningMethodHS256, []byte(secret), claimsWith(map[string]any{claim: at.Unix()}))
			beyond := sign(t, jwt.SigningMethodHS256, []byte(secret), claimsWith(map[string]any{claim: at.Unix() + 1}))

			if err := verify(within); err != nil {
				t.Errorf("%s within the leeway: %v", claim, err)
			}

			if err := verify(beyond); !errors.Is(err, auth.ErrInvalidToken) {
				t.Errorf("%s beyond the leeway: got %v, want a refusal", claim, err)
			}
		}
	})
}

func TestShortSecretsAreRefused(t *testing.T) {
	t.Parallel()

	short := []byte(secret)[:auth.MinSecretBytes-1]
	if _, err := auth.NewJWT(auth.Options{Secrets: [][]byte{short}}); err == nil {
		t.Error("NewJWT took 31 bytes")
	}

	if _, err := auth.NewJWT(auth.Options{Secrets: [][]byte{[]byte(secret), short}}); err == nil {
		t.Error("NewJWT took 31 bytes as an older secret")
	}

	if _, err := auth.NewJWT(auth.Options{}); err == nil {
		t.Error("NewJWT took no secret and no identity server")
	}

	if _, err := auth.Mint(short, "alice", time.Hour, time.Now()); err == nil {
		t.Error("Mint took 31 bytes")
	}
}

func TestMintRefuses(t *testing.T) {
	t.Parallel()

	for _, sub := range []string{"", " ", "a\x00b", "a\xffb", strings.Repeat("x", 256)} {
		if _, err := auth.Mint([]byte(secret), sub, time.Hour, time.Now()); err == nil {
			t.Errorf("Mint took the sub %q", sub)
		}
	}

	for _, ttl := range []time.Duration{0, -time.Hour, time.Millisecond} {
		if _, err := auth.Mint([]byte(secret), "alice", ttl, time.Now()); err == nil {
			t.Errorf("Mint took the ttl %s", ttl)
		}
	}
}
