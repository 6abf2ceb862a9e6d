package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
)

func TestTokensOfAnIdentityServer(t *testing.T) {
	t.Parallel()

	server := &identityServer{keys: jwks("RS256", "ES256", "EdDSA")}
	v, _ := newIdentity(t, server)
	both, _ := newIdentity(t, server, []byte(secret))

	for name, signer := range signers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantAlice(t, v, signer.sign(t, nil))
			wantAlice(t, v, signer.sign(t, map[string]any{"aud": []string{"x", audience}}))
			wantAlice(t, both, signer.sign(t, nil))
			wantReason(t, v, signer.sign(t, map[string]any{"aud": "x"}), "the token's audience (aud) is not this server")
			wantReason(t, v, signer.sign(t, map[string]any{"aud": nil}), "the token's audience (aud) is not this server")
			wantReason(t, v, signer.sign(t, map[string]any{"aud": []string{}}), "the token's audience (aud) is not this server")
			wantReason(t, v, signer.sign(t, map[string]any{"exp": nil}), "the token has no expiry (exp)")
			wantReason(t, v, signer.sign(t, map[string]any{"exp": time.Now().Add(-auth.Leeway).Unix()}), "the token has expired")
			wantReason(t, v, signer.sign(t, map[string]any{"aud": 7}), "the token's aud is neither a text nor a list of texts")
			wantReason(t, v, signer.sign(t, map[string]any{"aud": []any{audience, 7}}), "the token's aud is neither a text nor a list of texts")
			wantReason(t, v, signer.sign(t, map[string]any{"iss": 7}), `the token's iss is a number; it must be a text, as in "42"`)
			wantReason(t, v, signer.sign(t, map[string]any{"sub": nil}), "the token's sub is missing or blank")

			token, mallory := signer.sign(t, nil), signer.sign(t, map[string]any{"sub": "mallory"})
			mallory = mallory[:strings.LastIndex(mallory, ".")] + token[strings.LastIndex(token, "."):]
			wantReason(t, v, mallory, "the token's signature does not match")

			unnamed := signer
			unnamed.kid = ""
			wantReason(t, v, unnamed.sign(t, nil), "the token does not name its key (kid)")

			for _, iss := range []any{nil, "", "https://id.example.com", "https://evil.example.com/"} {
				wantReason(t, v, signer.sign(t, map[string]any{"iss": iss}),
					"the token's issuer (iss) is not the one whose tokens are taken here")
			}
		})
	}

	// The secret's tokens need neither, and are taken only with a secret.
	wantAlice(t, both, mint(t, "alice"))
	wantReason(t, v, mint(t, "alice"), "the token is not signed with RS256, ES256, EdDSA")
	wantReason(t, both, signRaw(`{"alg":"none","kid":"r1"}`, `{}`, secret), "the token is not signed with HS256, RS256, ES256, EdDSA")
}

// Whatever a token says of its algorithm, a public key is never a secret, and
// a key is for one algorithm alone.
func TestAlgorithmsAreNotConfused(t *testing.T) {
	t.Parallel()

	server := &identityServer{keys: jwks("RS256", "ES256", "EdDSA")}
	v, _ := newIdentity(t, server, []byte(secret))
	payload := fmt.Sprintf(`{"sub":"alice","exp":9999999999,"iss":%q,"aud":%q}`, issuer, audience)

	for name, signer := range signers() {
		public, err := signer.jwk().MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}

		for _, key := range []string{string(public), fmt.Sprint(signer.key.Public())} {
			wantReason(t, v, signRaw(`{"alg":"HS256","kid":"`+signer.kid+`"}`, payload, key), "the token's signature does not match")
		}

		for other, otherSigner := range signers() {
			if other == name {
				continue
			}

			otherSigner.kid = signer.kid
			wantReason(t, v, otherSigner.sign(t, nil), "the token's algorithm (alg) is not the one of its key")
			wantReason(t, v, signRaw(`{"alg":"`+other+`","kid":"`+signer.kid+`"}`, payload, secret),
				"the token's algorithm (alg) is not the one of its key")
		}

		wantReason(t, v, signRaw(`{"alg":"`+name+`","kid":"`+signer.kid+`"}`, payload, secret), "the token's signature does not match")
	}

	for _, alg := range []string{"PS256", "RS384", "RS512", "ES384", "ES512", "none", "HS512"} {
		wantReason(t, v, signRaw(`{"alg":"`+alg+`","kid":"r1"}`, payload, secret),
			"the token is not signed with HS256, RS256, ES256, EdDSA")
	}
}

func TestUnusableKeysAreIgnored(t *testing.T) {
	t.Parallel()

	small, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // that is what is refused
	if err != nil {
		t.Fatal(err)
	}

	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}

	rs, es := signers()["RS256"].key.Public(), signers()["ES256"].key.Public()
	bad := map[string]jose.JSONWebKey{
		"short RSA":      {Key: small.Public(), KeyID: "x"},
		"P-384":          {Key: p384.Public(), KeyID: "x"},
		"a secret":       {Key: []byte(secret), KeyID: "x"},
		"for encryption": {Key: rs, KeyID: "x", Use: "enc"},
		"for RS512":      {Key: rs, KeyID: "x", Algorithm: "RS512"},
		"for HS256":      {Key: rs, KeyID: "x", Algorithm: "HS256"},
		"EC for RS256":   {Key: es, KeyID: "x", Algorithm: "RS256"},
		"a private key":  {Key: signers()["RS256"].key, KeyID: "x"},
	}
	for name, key := range bad {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			alone, _ := newIdentity(t, &identityServer{keys: []jose.JSONWebKey{key}})
			token := signers()["RS256"].sign(t, nil)

			if _, err := alone.Verify(t.Context(), token); !errors.Is(err, auth.ErrKeysUnavailable) {
				t.Errorf("alone it gave %v", err)
			}

			beside, _ := newIdentity(t, &identityServer{keys: append(jwks("RS256"), key)})
			wantAlice(t, beside, token)

			other := signers()["RS256"]
			other.kid = "x"
			wantReason(t, beside, other.sign(t, nil), "the token's key (kid) is not among the identity server's")
		})
	}
}

// Without a kid, in the token or in the set, the only key of the set is meant.
func TestKeyWithoutKid(t *testing.T) {
	t.Parallel()

	for name, signer := range signers() {
		named, unnamed := signer.jwk(), signer.jwk()
		unnamed.KeyID = ""
		tokens := map[string]string{"token with a kid": signer.sign(t, nil)}
		signer.kid = ""
		tokens["token without a kid"] = signer.sign(t, nil)

		for what, token := range tokens {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()

				for _, key := range []jose.JSONWebKey{named, unnamed} {
					v, _ := newIdentity(t, &identityServer{keys: []jose.JSONWebKey{key}})
					wantAlice(t, v, token)
				}

				// The key is still for one algorithm and one signature.
				v, _ := newIdentity(t, &identityServer{keys: []jose.JSONWebKey{unnamed}})
				wantReason(t, v, token[:strings.LastIndex(token, ".")]+".AAAA", "the token's signature does not match")

				// Among several keys, one without a kid cannot be meant.
				both, _ := newIdentity(t, &identityServer{keys: []jose.JSONWebKey{unnamed, unnamed}})
				if _, err := both.Verify(t.Context(), token); !errors.Is(err, auth.ErrKeysUnavailable) {
					t.Errorf("with two keys without a kid: got %v", err)
				}
			})
		}
	}
}

func TestKeySetAnswersThatAreRefused(t *testing.T) {
	t.Parallel()

	says := func(status int, body string) answerOf { return answerOf{status: status, body: body} }
	tests := map[string]struct {
		answer answerOf
		word   string // of the log's line
	}{
		"no status 200": {says(http.StatusBadGateway, "{}"), "status 502"},
		"not JSON":      {says(http.StatusOK, "<html>"), "no JWK Set"},
		"null":          {says(http.StatusOK, "null"), "no JWK Set"},
		"a list":        {says(http.StatusOK, "[]"), "no JWK Set"},
		"no keys":       {says(http.StatusOK, `{"keys":[]}`), "no public signature key"},
		"odd keys":      {says(http.StatusOK, `{"keys":[1,null,{},{"kty":"X"}]}`), "no public signature key"},
		"a redirect":    {says(http.StatusFound, ""), "redirects"},
		"refused":       {answerOf{failure: errors.New("connection refused")}, "connection refused"},
		"too long":      {says(http.StatusOK, `{"keys":[`+strings.Repeat(" ", 1<<20)+`]}`), "longer than 1048576 bytes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			v, log := newIdentity(t, &identityServer{answer: &tt.answer})

			_, err := v.Verify(t.Context(), signers()["RS256"].sign(t, nil))
			if !errors.Is(err, auth.ErrKeysUnavailable) {
				t.Fatalf("got %v", err)
			}

			if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, tt.word) || strings.Contains(text, "hunter2") {
				t.Errorf("the log says %s, want a line with %q", text, tt.word)
			}
		})
	}
}

// A token that names an unknown key causes a fetch.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &identityServer{keys: jwks("RS256")}
		v, log := newIdentity(t, server)
		wantAlice(t, v, signers()["RS256"].sign(t, nil))
		time.Sleep(time.Minute)
		server.set(func() { server.keys = jwks("RS256", "ES256") })
		wantAlice(t, v, signers()["ES256"].sign(t, nil))
		wantAlice(t, v, signers()["RS256"].sign(t, nil))

		if server.count() != 2 {
			t.Errorf("there were %d fetches, want 2", server.count())
		}

		// The old key is dropped by the next regular fetch.
		time.Sleep(time.Minute)
		server.start()
		synctest.Wait()
		server.set(func() { server.keys = jwks("ES256") })
		time.Sleep(5*time.Minute - time.Second)
		wantAlice(t, v, signers()["RS256"].sign(t, nil))
		time.Sleep(time.Second)
		synctest.Wait()
		wantReason(t, v, signers()["RS256"].sign(t, nil), "the token's key (kid) is not among the identity server's")
		wantAlice(t, v, signers()["ES256"].sign(t, nil))

		if text := log.String(); strings.Count(text, "were fetched") != 3 {
			t.Errorf("the log says %s", text)
		}
	})
}

// Many tokens with unknown keys cause few fetches, and tokens with known keys do
// not wait for them.
func TestUnknownKeysCauseFewFetches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &identityServer{keys: jwks("RS256"), delay: 100 * time.Millisecond}
		v, _ := newIdentity(t, server)
		good := signers()["RS256"]
		wantAlice(t, v, good.sign(t, nil))

		var all sync.WaitGroup

		for n := range 1000 {
			all.Go(func() {
				time.Sleep(time.Duration(n%10) * time.Second)

				unknown := good
				unknown.kid = fmt.Sprint("unknown ", n)
				wantReason(t, v, unknown.sign(t, nil), "the token's key (kid) is not among the identity server's")

				begin := time.Now()
				wantAlice(t, v, good.sign(t, nil))

				if waited := time.Since(begin); waited > 0 {
					t.Errorf("a known key waited for %s", waited)
				}
			})
		}

		all.Wait()

		if server.count() > 3 {
			t.Errorf("in 10 s there were %d fetches, want 3 at most", server.count())
		}
	})
}

func TestIdentityServerUnreachable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away := &answerOf{failure: errors.New("connection refused")}
		server := &identityServer{keys: jwks("RS256"), answer: away}
		v, log := newIdentity(t, server)
		token := signers()["RS256"].sign(t, map[string]any{"exp": time.Now().Add(100 * time.Hour).Unix()})

		server.start()

		for range 100 {
			if _, err := v.Verify(context.Background(), token); !errors.Is(err, auth.ErrKeysUnavailable) {
				t.Fatalf("got %v", err)
			}
		}

		if server.count() != 1 {
			t.Errorf("there were %d fetches, want 1", server.count())
		}

		server.set(func() { server.answer = nil })
		time.Sleep(5 * time.Second)
		wantAlice(t, v, token)

		// Fetched keys are kept, for days.
		server.set(func() { server.answer = away })

		for range 72 {
			time.Sleep(time.Hour)
			wantAlice(t, v, token)
		}

		synctest.Wait()

		if text := log.String(); strings.Count(text, "cannot be fetched") != 2 || strings.Count(text, "were fetched") != 1 {
			t.Errorf("the log says %s", text)
		}
	})
}

// A request waits for a bounded time for an identity server that does not answer.
func TestIdentityServerSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &identityServer{delay: time.Hour}
		v, _ := newIdentity(t, server)
		token := signers()["RS256"].sign(t, nil)
		begin := time.Now()

		if _, err := v.Verify(context.Background(), token); !errors.Is(err, auth.ErrKeysUnavailable) {
			t.Errorf("got %v", err)
		}

		if waited := time.Since(begin); waited != 3*time.Second {
			t.Errorf("it took %s, want 3s", waited)
		}

		// A request that is cancelled does not wait; the fetch goes on for others.
		time.Sleep(time.Minute)

		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()

		if _, err := v.Verify(ctx, token); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}

		time.Sleep(time.Minute)
	})
}

func TestIdentityNeedsIssuerAndAudience(t *testing.T) {
	t.Parallel()

	keys := auth.NewKeySet(auth.KeySetOptions{URL: keysURL})
	defer keys.Close()

	for _, o := range []auth.Options{{Keys: keys, Issuer: issuer}, {Keys: keys, Audiences: []string{audience}}} {
		if _, err := auth.NewJWT(o); err == nil {
			t.Errorf("NewJWT took %+v", o)
		}
	}
}
