package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
)

const allowedOrigin = "https://app.example.com"

func newAuthenticator(tb testing.TB) *auth.Authenticator {
	tb.Helper()

	g, err := auth.NewAuthenticator(newHS256(tb), []string{allowedOrigin})
	if err != nil {
		tb.Fatalf("NewAuthenticator: %v", err)
	}

	return g
}

// newRequest takes header lines as name, value, name, value.
func newRequest(tb testing.TB, method string, lines ...string) *http.Request {
	tb.Helper()

	r := httptest.NewRequestWithContext(tb.Context(), method, "http://api.example.com/api/v1/chatkit/sessions", nil)
	for line := range slices.Chunk(lines, 2) {
		r.Header.Add(line[0], line[1])
	}

	return r
}

func TestWhereTheTokenComesFrom(t *testing.T) {
	t.Parallel()

	alice, bob := mint(t, "alice"), mint(t, "bob")
	tests := map[string]struct {
		lines []string
		user  string
		err   error
	}{
		"nothing":                {nil, "", auth.ErrNoToken},
		"header":                 {[]string{"Authorization", "Bearer " + alice}, "alice", nil},
		"lower case scheme":      {[]string{"Authorization", "bearer " + alice}, "alice", nil},
		"upper case scheme":      {[]string{"Authorization", "BEARER " + alice}, "alice", nil},
		"several spaces":         {[]string{"Authorization", "Bearer   " + alice}, "alice", nil},
		"cookie":                 {[]string{"Cookie", "auth-token=" + alice}, "alice", nil},
		"cookie among others":    {[]string{"Cookie", "a=b; auth-token=" + alice + "; c=d"}, "alice", nil},
		"the header comes first": {[]string{"Authorization", "Bearer " + alice, "Cookie", "auth-token=" + bob}, "alice", nil},
		"empty cookie":           {[]string{"Cookie", "auth-token="}, "", auth.ErrNoToken},
		"cookie of another case": {[]string{"Cookie", "Auth-Token=" + alice}, "", auth.ErrNoToken},
		"two cookies":            {[]string{"Cookie", "auth-token=" + alice + "; auth-token=" + bob}, "", auth.ErrInvalidToken},
		"bad cookie":             {[]string{"Cookie", "auth-token=x"}, "", auth.ErrInvalidToken},
		"two headers":            {[]string{"Authorization", "Bearer " + alice, "Authorization", "Bearer " + alice}, "", auth.ErrInvalidToken},
		"two tokens in one":      {[]string{"Authorization", "Bearer " + alice + ", Bearer " + bob}, "", auth.ErrInvalidToken},
		"no scheme":              {[]string{"Authorization", alice}, "", auth.ErrInvalidToken},
		"no token":               {[]string{"Authorization", "Bearer "}, "", auth.ErrInvalidToken},
		"basic":                  {[]string{"Authorization", "Basic YWxpY2U6eA=="}, "", auth.ErrInvalidToken},
		"bad header, good cookie": {
			[]string{"Authorization", "Bearer x", "Cookie", "auth-token=" + bob}, "", auth.ErrInvalidToken,
		},
		"empty header, good cookie": {
			[]string{"Authorization", "", "Cookie", "auth-token=" + bob}, "", auth.ErrInvalidToken,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			p, err := newAuthenticator(t).Authenticate(newRequest(t, http.MethodGet, tt.lines...))
			if !errors.Is(err, tt.err) || p.UserID != tt.user {
				t.Fatalf("got %+v and %v, want %q and %v", p, err, tt.user, tt.err)
			}
		})
	}
}

func TestOriginOfCookieRequests(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		host    string
		origins []string
		ok      bool
	}{
		"own over http":           {"api.example.com", []string{"http://api.example.com"}, true},
		"own over https":          {"api.example.com", []string{"https://api.example.com"}, true},
		"own with port":           {"127.0.0.1:8080", []string{"http://127.0.0.1:8080"}, true},
		"own IPv6":                {"[::1]:8080", []string{"http://[::1]:8080"}, true},
		"own, port told":          {"api.example.com:443", []string{"https://api.example.com"}, true},
		"own, port not told":      {"api.example.com", []string{"http://api.example.com:80"}, true},
		"own in another case":     {"API.example.com", []string{"https://api.EXAMPLE.com"}, true},
		"allowed":                 {"api.example.com", []string{allowedOrigin}, true},
		"app with the own host":   {"api.example.com", []string{"capacitor://api.example.com"}, false},
		"allowed with port":       {"api.example.com", []string{allowedOrigin + ":443"}, true},
		"none":                    {"api.example.com", nil, false},
		"empty":                   {"api.example.com", []string{""}, false},
		"null":                    {"api.example.com", []string{"null"}, false},
		"another site":            {"api.example.com", []string{"https://evil.example.net"}, false},
		"another port":            {"api.example.com", []string{"https://api.example.com:8443"}, false},
		"the other scheme's port": {"api.example.com", []string{"http://api.example.com:443"}, false},
		"allowed, other scheme":   {"api.example.com", []string{"http://app.example.com"}, false},
		"suffix":                  {"api.example.com", []string{"https://api.example.com.evil.net"}, false},
		"prefix":                  {"api.example.com", []string{"https://evil-api.example.com"}, false},
		"user in front":           {"api.example.com", []string{"https://evil@api.example.com"}, false},
		"another scheme":          {"api.example.com", []string{"ftp://api.example.com"}, false},
		"path":                    {"api.example.com", []string{"https://api.example.com/"}, false},
		"two of them":             {"api.example.com", []string{allowedOrigin, allowedOrigin}, false},
		"no host at all":          {"", []string{"http://:80"}, false},
	}
	for name, tt := range tests {
		for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodPut, http.MethodPatch} {
			t.Run(name+" "+method, func(t *testing.T) {
				t.Parallel()

				r := newRequest(t, method, "Cookie", "auth-token="+mint(t, "alice"))
				r.Host = tt.host
				r.Header["Origin"] = tt.origins

				p, err := newAuthenticator(t).Authenticate(r)
				if tt.ok && (err != nil || p.UserID != "alice") {
					t.Fatalf("got %+v and %v, want alice", p, err)
				}

				if !tt.ok && !errors.Is(err, auth.ErrForbiddenOrigin) {
					t.Fatalf("got %+v and %v, want ErrForbiddenOrigin", p, err)
				}
			})
		}
	}
}

func TestOriginDoesNotMatterElsewhere(t *testing.T) {
	t.Parallel()

	token := mint(t, "alice")
	tests := map[string]*http.Request{
		"header and POST": newRequest(t, http.MethodPost, "Authorization", "Bearer "+token, "Origin", "https://evil.example.net"),
		"cookie and GET":  newRequest(t, http.MethodGet, "Cookie", "auth-token="+token, "Origin", "https://evil.example.net"),
		"cookie and HEAD": newRequest(t, http.MethodHead, "Cookie", "auth-token="+token),
	}
	for name, r := range tests {
		if p, err := newAuthenticator(t).Authenticate(r); err != nil || p.UserID != "alice" {
			t.Errorf("%s: got %+v and %v, want alice", name, p, err)
		}
	}
}

func TestAllowedOriginsAreChecked(t *testing.T) {
	t.Parallel()

	for _, origin := range []string{"", "*", "null", "app.example.com", "https://", "https://app.example.com/x", "ws://app"} {
		if _, err := auth.NewAuthenticator(newHS256(t), []string{origin}); err == nil {
			t.Errorf("NewAuthenticator took the origin %q", origin)
		}
	}
}

type brokenVerifier struct{ err error }

func (v brokenVerifier) Verify(context.Context, string) (auth.Principal, error) {
	return auth.Principal{}, v.err
}

func TestVerifierFailureIsNotARefusal(t *testing.T) {
	t.Parallel()

	errKeys := errors.New("keys cannot be fetched")

	g, err := auth.NewAuthenticator(brokenVerifier{errKeys}, nil)
	if err != nil {
		t.Fatalf("NewAuthenticator: %v", err)
	}

	_, err = g.Authenticate(newRequest(t, http.MethodGet, "Authorization", "Bearer x"))
	if !errors.Is(err, errKeys) || errors.Is(err, auth.ErrInvalidToken) {
		t.Fatalf("got %v, want the verifier's own error", err)
	}
}

func TestPrincipalInContext(t *testing.T) {
	t.Parallel()

	if p, ok := auth.PrincipalFrom(t.Context()); ok {
		t.Fatalf("an empty context has the principal %+v", p)
	}

	ctx := auth.WithPrincipal(t.Context(), auth.Principal{UserID: "alice"})
	if p, ok := auth.PrincipalFrom(ctx); !ok || p.UserID != "alice" {
		t.Fatalf("got %+v, %v", p, ok)
	}
}

func TestPseudonym(t *testing.T) {
	t.Parallel()

	// Computed once with Python's hmac module: it must never change, or
	// upstream sees new users after an upgrade.
	const want = "a8851588a2938e9143d99fa63e6a9b54"

	if got := auth.Pseudonym([]byte(secret), "alice"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}

	if auth.Pseudonym([]byte(secret), "bob") == want || auth.Pseudonym([]byte(otherSecret), "alice") == want {
		t.Error("another user or another secret gave the same pseudonym")
	}
}
