package auth_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
)

const (
	issuer   = "https://id.example.com/"
	audience = "chat"
	keysURL  = "https://id.example.com/keys?secret=hunter2"
)

// identityServer answers for the identity server, without a network.
type identityServer struct {
	mu      sync.Mutex
	keys    []jose.JSONWebKey
	answer  *answerOf // instead of the keys; nil: the keys
	delay   time.Duration
	fetches int
	start   func() // begins the regular fetches of the newest KeySet
}

func (s *identityServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.fetches++
	text, _ := json.Marshal(jose.JSONWebKeySet{Keys: s.keys}) //nolint:errchkjson // keys of the tests
	answer, delay := s.answer, s.delay
	s.mu.Unlock()

	select {
	case <-time.After(delay):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}

	if answer == nil {
		answer = &answerOf{status: http.StatusOK, body: string(text)}
	}

	if answer.failure != nil {
		return nil, answer.failure
	}

	header := http.Header{"Location": {"http://evil.example.com/keys"}} // for a redirect

	return &http.Response{StatusCode: answer.status, Header: header, Body: io.NopCloser(strings.NewReader(answer.body))}, nil
}

// answerOf is what an identity server says.
type answerOf struct {
	status  int
	body    string
	failure error // there is no answer
}

func (s *identityServer) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *identityServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.fetches
}

// signer is a key of the identity server.
type signer struct {
	kid    string
	method jwt.SigningMethod
	key    crypto.Signer
}

func (s signer) jwk() jose.JSONWebKey {
	return jose.JSONWebKey{Key: s.key.Public(), KeyID: s.kid, Algorithm: s.method.Alg(), Use: "sig"}
}

func (s signer) sign(tb testing.TB, changes map[string]any) string {
	tb.Helper()

	claims := claimsWith(map[string]any{"iss": issuer, "aud": audience})
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}

	token := jwt.NewWithClaims(s.method, claims)
	if s.kid != "" {
		token.Header["kid"] = s.kid
	}

	text, err := token.SignedString(s.key)
	if err != nil {
		tb.Fatalf("sign: %v", err)
	}

	return text
}

var signers = sync.OnceValue(func() map[string]signer {
	rsaKey, err1 := rsa.GenerateKey(rand.Reader, 2048)
	ecKey, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, edKey, err3 := ed25519.GenerateKey(rand.Reader)

	if err := errors.Join(err1, err2, err3); err != nil {
		panic(err)
	}

	return map[string]signer{
		"RS256": {"r1", jwt.SigningMethodRS256, rsaKey},
		"ES256": {"e1", jwt.SigningMethodES256, ecKey},
		"EdDSA": {"d1", jwt.SigningMethodEdDSA, edKey},
	}
})

func jwks(names ...string) []jose.JSONWebKey {
	var keys []jose.JSONWebKey
	for _, name := range names {
		keys = append(keys, signers()[name].jwk())
	}

	return keys
}

// newIdentity is a verifier for the tokens of an identity server, and of the
// secrets.
func newIdentity(tb testing.TB, server *identityServer, secrets ...[]byte) (*auth.JWT, *bytes.Buffer) {
	tb.Helper()

	log := new(bytes.Buffer)
	keys := auth.NewKeySet(auth.KeySetOptions{
		URL: keysURL, Transport: server, Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	tb.Cleanup(keys.Close)
	server.start = keys.Start

	v, err := auth.NewJWT(auth.Options{Secrets: secrets, Keys: keys, Issuer: issuer, Audiences: []string{"other", audience}, MaxTTL: anyTTL})
	if err != nil {
		tb.Fatalf("NewJWT: %v", err)
	}

	return v, log
}

func wantReason(t *testing.T, v *auth.JWT, token, reason string) {
	t.Helper()

	p, err := v.Verify(context.Background(), token)

	var refused *auth.InvalidTokenError
	if !errors.As(err, &refused) || refused.Reason != reason || p != (auth.Principal{}) {
		t.Errorf("got %+v, %v, want the reason %q", p, err, reason)
	}
}

func wantAlice(t *testing.T, v *auth.JWT, token string) {
	t.Helper()

	if p, err := v.Verify(context.Background(), token); err != nil || p.UserID != "alice" {
		t.Errorf("got %+v, %v", p, err)
	}
}
