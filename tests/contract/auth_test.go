package contract_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// claims returns valid claims for the sub with the changes applied. A nil
// change removes a claim.
func claims(sub any, changes jwt.MapClaims) jwt.MapClaims {
	all := jwt.MapClaims{"sub": sub, "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

// TestTokens tests which tokens the server accepts.
func TestTokens(t *testing.T) {
	t.Parallel()
	suite(t, nil, map[string]check{
		"token refused":  tokenRefused,
		"foreign origin": foreignOrigin, // no origin is allowed here
		"token accepted": tokenAccepted,
		"claim named":    claimNamed,
	})
}

// tokenRefused checks that each operation checks the token before anything
// else.
func tokenRefused(t *testing.T, server *harness.Server) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	session := server.User(t).CreateSession()
	for name, authorization := range badAuthorizations(t, []byte(server.Secret), rsaKey) {
		for _, o := range operations(session) {
			request := o.request()
			request.Header = authorization
			answer := server.Do(t, request)
			if answer.Status != http.StatusUnauthorized || answer.Code() != "UNAUTHORIZED" {
				t.Errorf("%s, %s: got %d %s", name, o.id, answer.Status, answer.Body)
			}
		}
	}
}

func badAuthorizations(t *testing.T, secret []byte, rsaKey *rsa.PrivateKey) map[string]http.Header {
	t.Helper()
	hs256 := func(c jwt.MapClaims) string { return harness.Sign(t, jwt.SigningMethodHS256, secret, c) }
	good := hs256(claims("alice", nil))
	parts := strings.Split(good, ".")
	noneHeader := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	forgedRS256 := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`))
	tokens := map[string]string{
		"other secret":      harness.Sign(t, jwt.SigningMethodHS256, []byte(strings.Repeat("x", 32)), claims("alice", nil)),
		"none":              harness.Sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims("alice", nil)),
		"none, signed":      noneHeader + "." + parts[1] + "." + parts[2],
		"HS384":             harness.Sign(t, jwt.SigningMethodHS384, secret, claims("alice", nil)),
		"HS512":             harness.Sign(t, jwt.SigningMethodHS512, secret, claims("alice", nil)),
		"RS256":             harness.Sign(t, jwt.SigningMethodRS256, rsaKey, claims("alice", nil)),
		"RS256 header":      forgedRS256 + "." + parts[1] + "." + parts[2],
		"no signature":      parts[0] + "." + parts[1] + ".",
		"two parts":         parts[0] + "." + parts[1],
		"four parts":        good + ".x",
		"other claims":      parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"bob","exp":99999999999}`)) + "." + parts[2],
		"expired":           hs256(claims("alice", jwt.MapClaims{"exp": time.Now().Add(-31 * time.Second).Unix()})),
		"milliseconds":      hs256(claims("alice", jwt.MapClaims{"exp": time.Now().Add(time.Hour).UnixMilli()})),
		"expired long ago":  hs256(claims("alice", jwt.MapClaims{"exp": 0})),
		"no exp":            hs256(claims("alice", jwt.MapClaims{"exp": nil})),
		"exp text":          hs256(claims("alice", jwt.MapClaims{"exp": "tomorrow"})),
		"not yet":           hs256(claims("alice", jwt.MapClaims{"nbf": time.Now().Add(time.Hour).Unix()})),
		"no sub":            hs256(claims(nil, nil)),
		"empty sub":         hs256(claims("", nil)),
		"blank sub":         hs256(claims(" \t\u3000", nil)),
		"sub of 256 bytes":  hs256(claims(strings.Repeat("a", 256), nil)),
		"sub of 256, emoji": hs256(claims(strings.Repeat(astral, 64), nil)),
		"sub number":        hs256(claims(42, nil)),
		"sub with NUL":      hs256(claims("a\x00b", nil)),
		"huge":              strings.Repeat("a", 20_000),
	}
	headers := map[string]http.Header{
		"nothing":       {},
		"empty":         {"Authorization": {""}},
		"no scheme":     {"Authorization": {good}},
		"scheme alone":  {"Authorization": {"Bearer"}},
		"Basic":         {"Authorization": {"Basic YWxpY2U6c2VjcmV0"}},
		"Token":         {"Authorization": {"Token " + good}},
		"two headers":   {"Authorization": {"Bearer " + good, "Bearer " + good}},
		"two tokens":    {"Authorization": {"Bearer " + good + ", Bearer " + good}},
		"other header":  {"X-Auth-Token": {good}, "Proxy-Authorization": {"Bearer " + good}},
		"other cookie":  {"Cookie": {"auth_token=" + good}, "Origin": {}},
		"empty cookie":  {"Cookie": {"auth-token="}},
		"broken cookie": {"Cookie": {"auth-token=x.y.z"}},
		// A header is checked alone, even if there is a valid cookie.
		"bad header, good cookie": {"Authorization": {"Bearer x.y.z"}, "Cookie": {"auth-token=" + good}},
	}
	for name, token := range tokens {
		headers[name] = header("Authorization", "Bearer "+token)
	}
	return headers
}

// claimNamed checks that the message names the invalid claim and what it must
// be.
func claimNamed(t *testing.T, server *harness.Server) {
	cases := []struct {
		changes jwt.MapClaims
		message string
	}{
		{jwt.MapClaims{"sub": 42}, `the token's sub is a number; it must be a text, as in "42"`},
		{jwt.MapClaims{"sub": []string{"alice"}}, "the token's sub is not a text"},
		{jwt.MapClaims{"exp": "tomorrow"}, "the token's exp is not a number of seconds since 1970"},
		{jwt.MapClaims{"nbf": "2026-11-30T00:00:00Z"}, "the token's nbf is not a number of seconds since 1970"},
		{jwt.MapClaims{"iat": time.Now().UnixMilli()}, "the token was issued in the future (iat)"},
		{jwt.MapClaims{"exp": time.Now().Add(time.Hour).UnixMilli()}, "(JWT_MAX_TTL); exp is in seconds, not in milliseconds"},
	}
	for _, c := range cases {
		token := harness.Sign(t, jwt.SigningMethodHS256, []byte(server.Secret), claims("alice", c.changes))
		request := createRequest()
		request.Header = header("Authorization", "Bearer "+token)
		answer := server.Do(t, request)
		want(t, answer, 401, "UNAUTHORIZED")
		wantNamed(t, answer, c.message)
	}
	// The server does not read jti, nor aud and iss of the tokens of JWT_SECRET.
	token := harness.Sign(t, jwt.SigningMethodHS256, []byte(server.Secret), claims("carol", jwt.MapClaims{"jti": 7, "aud": 7, "iss": 7}))
	request := createRequest()
	request.Header = header("Authorization", "Bearer "+token)
	wantOK(t, server.Do(t, request))
}

// tokenAccepted checks the forms that a valid token may have.
func tokenAccepted(t *testing.T, server *harness.Server) {
	subs := []string{
		"alice", strings.Repeat("a", 255), strings.Repeat(astral, 63), "auth0|5f7c8ec7c33c6c004bbafe82",
		"user@example.com", "'; DROP TABLE sessions; --", "a b", "42", "../../etc/passwd", "Ünïcödé", `"quoted" \ <b>`,
	}
	for _, sub := range subs {
		user := server.UserNamed(t, sub)
		session := user.CreateSession()
		if got := user.Session(session).UserID; got != sub {
			t.Errorf("user_id is %q, want %q", got, sub)
		}
		if list := user.Sessions(); list.Meta.Total != 1 || list.Data[0].UserID != sub {
			t.Errorf("the list of %q is %+v", sub, list)
		}
	}
	// Users whose names differ in case or in form are different users.
	server.UserNamed(t, "Case").CreateSession()
	if total := server.UserNamed(t, "case").Sessions().Meta.Total; total != 0 {
		t.Errorf("case sees %d sessions of Case", total)
	}
	server.UserNamed(t, "e\u0301").CreateSession()
	if total := server.UserNamed(t, "\u00e9").Sessions().Meta.Total; total != 0 {
		t.Errorf("é sees %d sessions of its decomposed form", total)
	}

	alice := server.User(t)
	for _, authorization := range []string{"bearer ", "BEARER ", "Bearer  "} {
		request := createRequest()
		request.Header = header("Authorization", authorization+alice.Token)
		wantOK(t, server.Do(t, request))
	}
	token := harness.Sign(t, jwt.SigningMethodHS256, []byte(server.Secret), claims(alice.Sub, jwt.MapClaims{
		"aud": "anything", "iss": "anybody", "roles": []string{"x"}, "nbf": time.Now().Add(-time.Minute).Unix(),
	}))
	request := harness.Request{Method: http.MethodGet, Path: harness.SessionsPath, Header: header("Authorization", "Bearer "+token)}
	wantOK(t, server.Do(t, request))
}

// cookie checks that a request that changes something and is authenticated by
// the cookie must come from the server's own origin or an allowed one.
func cookie(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	own := strings.TrimPrefix(server.URL, "http://")
	withCookie := func(origin ...string) http.Header {
		h := header("Cookie", "theme=dark; auth-token="+alice.Token)
		for _, o := range origin {
			h.Add("Origin", o)
		}
		return h
	}
	cases := []struct {
		name    string
		head    http.Header
		changes int // the status of a request that changes something
	}{
		{"no origin", withCookie(), 403},
		{"own origin", withCookie(server.URL), 200},
		{"allowed origin", withCookie(allowedOrigin), 200},
		{"foreign origin", withCookie("https://evil.example"), 403},
		{"null origin", withCookie("null"), 403},
		{"two origins", withCookie(allowedOrigin, "https://evil.example"), 403},
		{"own host as a prefix", withCookie("http://" + own + ".evil.example"), 403},
		{"referer alone", func() http.Header { h := withCookie(); h.Set("Referer", server.URL+"/"); return h }(), 403},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			alice := server.UserNamed(t, alice.Sub)
			session := alice.CreateSession()
			for _, o := range operations(session) {
				if o.method == http.MethodGet {
					continue
				}
				request := o.request()
				request.Header = c.head.Clone()
				answer := server.Do(t, request)
				if answer.Status != c.changes {
					t.Errorf("%s: got %d %s", o.id, answer.Status, answer.Body)
				}
				if c.changes == 403 {
					want(t, answer, 403, "FORBIDDEN")
				}
			}
			for _, session := range alice.Sessions().Data {
				alice.DeleteSession(session.ID)
			}
		})
	}
	// Reading changes nothing, so it needs no origin.
	wantOK(t, server.Do(t, harness.Request{Method: http.MethodGet, Path: harness.SessionsPath, Header: withCookie()}))
	// With the header there is no need for an origin either.
	both := withCookie()
	both.Set("Authorization", "Bearer "+alice.Token)
	request := createRequest()
	request.Header = both
	wantOK(t, server.Do(t, request))
}
