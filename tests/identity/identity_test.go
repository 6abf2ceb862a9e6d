package identity_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// trusting returns the settings of a server that accepts only the identity
// server's tokens.
func trusting(p *provider, changes map[string]string) map[string]string {
	env := map[string]string{
		"JWKS_URL": p.keysURL(), "JWT_ISSUER": p.Issuer, "JWT_SECRET": harness.Unset,
		"JWT_AUDIENCE": resource("RS256") + "," + resource("ES256") + "," + resource("EdDSA"),
	}
	maps.Copy(env, changes)
	return env
}

func start(t *testing.T, env map[string]string) *harness.Server {
	t.Helper()
	return harness.Start(t, harness.Options{Database: harness.SQLite, Env: env})
}

// as returns a user with a given token.
func as(t *testing.T, server *harness.Server, sub, token string) *harness.User {
	t.Helper()
	user := server.UserNamed(t, sub)
	user.Token = token
	return user
}

func list(user *harness.User) harness.Answer {
	return user.Do(harness.Request{Method: http.MethodGet, Path: harness.SessionsPath})
}

// wantRefused checks for a 401 whose message has the word and no part of the
// token.
func wantRefused(t *testing.T, server *harness.Server, token, word string) {
	t.Helper()
	answer := list(as(t, server, "alice", token))
	if answer.Status != http.StatusUnauthorized || answer.Code() != "UNAUTHORIZED" || !strings.Contains(answer.Message(), word) {
		t.Errorf("got %d %s, want a 401 with the word %q", answer.Status, answer.Body, word)
	}
	for part := range strings.SplitSeq(token, ".") {
		if len(part) > 20 && strings.Contains(string(answer.Body)+server.Log(), part) {
			t.Error("the answer or the log shows a part of the token")
		}
	}
}

// await waits until a user's requests succeed.
func await(t *testing.T, user *harness.User) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		answer := list(user)
		if answer.Status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s the answer is %d %s", patience, answer.Status, answer.Body)
		}
		time.Sleep(pollInterval)
	}
}

// TestLogin checks that people and programs get tokens of each algorithm and
// can use the API with them.
func TestLogin(t *testing.T) {
	t.Parallel()
	p := newProvider(t, newKeys(t)...)
	server := start(t, trusting(p, nil))
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		alice := as(t, server, "alice", p.login(t, algorithm).Access)
		session := alice.CreateSession()
		alice.Say(session, "Hello")
		if got := alice.Session(session); got.UserID != "alice" || len(got.Messages) != 2 {
			t.Errorf("%s: the session is %+v", algorithm, got)
		}
		backend := as(t, server, "backend", p.backendToken(t, algorithm))
		if answer := backend.Do(harness.Request{Method: http.MethodGet, Path: harness.SessionPath(session)}); answer.Status != http.StatusForbidden {
			t.Errorf("%s: another principal got %d %s", algorithm, answer.Status, answer.Body)
		}
		backend.CreateSession()
	}
}

// TestInvalidClaimsAreRefused checks that tokens with a valid signature and wrong claims are
// refused and that the answer names the wrong claim.
func TestInvalidClaimsAreRefused(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	p := newProvider(t, keys...)
	server := start(t, trusting(p, nil))
	got := p.login(t, "ES256")
	wantRefused(t, server, got.ID, "audience (aud)") // the token for the app itself
	wantRefused(t, server, got.Access+"x", "not a JWT")

	other := newProvider(t, newKeys(t)...)
	wantRefused(t, server, other.backendToken(t, "RS256"), "issuer (iss)")

	claims := jwt.MapClaims{
		"sub": "alice", "iss": p.Issuer, "aud": resource("RS256"), "exp": time.Now().Add(time.Hour).Unix(),
	}
	forge := func(kid string, method jwt.SigningMethod, key any) string {
		token := jwt.NewWithClaims(method, claims)
		token.Header["kid"] = kid
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	unknownKey := newKey(t, "x", "RS256").Key
	wantRefused(t, server, forge("unknown", jwt.SigningMethodRS256, unknownKey), "key (kid)")
	wantRefused(t, server, forge("one", jwt.SigningMethodRS256, unknownKey), "signature does not match")
	wantRefused(t, server, forge("two", jwt.SigningMethodRS256, unknownKey), "algorithm (alg)")
	public, err := keys[0].Public().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	wantRefused(t, server, forge("one", jwt.SigningMethodHS256, public), "not signed with RS256, ES256, EdDSA")
	// With a secret, HS256 tokens are accepted with that secret only.
	both := start(t, trusting(p, map[string]string{"JWT_SECRET": "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe"}))
	wantRefused(t, both, forge("one", jwt.SigningMethodHS256, public), "signature does not match")
	await(t, both.User(t)) // a token of the secret
	await(t, as(t, both, "alice", got.Access))
}

// TestKeyRotation adds a key to the identity server and later removes the old one.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	old, fresh := newKey(t, "old", "RS256"), newKey(t, "new", "RS256")
	p := newProvider(t, old)
	server := start(t, trusting(p, nil))
	before := as(t, server, "alice", p.login(t, "RS256").Access)
	await(t, before)
	p.start(fresh, old)
	after := as(t, server, "alice", p.login(t, "RS256").Access)
	await(t, after)
	await(t, before)
	server.AwaitLog(t, `\"new\" (RS256), \"old\" (RS256)`)
	// A server that starts later has never cached the old key.
	p.start(fresh)
	late := start(t, trusting(p, nil))
	await(t, as(t, late, "alice", after.Token))
	wantRefused(t, late, before.Token, "key (kid)")
}

// TestProviderUnreachable checks that cached keys are used while the identity server
// is unreachable and that a server without keys answers 503.
func TestProviderUnreachable(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	p := newProvider(t, keys...)
	server := start(t, trusting(p, nil))
	token := p.login(t, "EdDSA").Access
	await(t, as(t, server, "alice", token))
	p.stop()
	await(t, as(t, server, "alice", token))

	late := start(t, trusting(p, nil)) // it starts without keys
	alice := as(t, late, "alice", token)
	if answer := list(alice); answer.Status != http.StatusServiceUnavailable || answer.Code() != "SERVICE_UNAVAILABLE" {
		t.Errorf("with no keys at all: %d %s", answer.Status, answer.Body)
	}
	wantRefused(t, late, "x.y.z", "not a JWT") // no key is needed for that
	p.start(keys...)
	await(t, alice)
	late.AwaitLog(t, "(JWKS_URL) were fetched")
	if n := strings.Count(late.Log(), "its tokens cannot be verified until"); n != 1 {
		t.Errorf("the log has %d lines about keys that cannot be fetched, want one", n)
	}
}

// TestVerifyEnvListsKeys checks that verify-env lists the keys of the identity
// server.
func TestVerifyEnvListsKeys(t *testing.T) {
	t.Parallel()
	p := newProvider(t, newKeys(t)...)
	env := harness.Settings(harness.NewDatabase(t, harness.SQLite), "", harness.NewUpstream(t))
	maps.Copy(env, trusting(p, nil))
	verify := func() harness.Result { return harness.Execute(t, env, "verify-env") }
	const good = `identity    ok      keys: "one" (RS256), "three" (EdDSA), "two" (ES256)` + "\n"
	if result := verify(); result.ExitCode != 0 || !strings.Contains(result.Stdout, good) {
		t.Errorf("exit code %d\n%s", result.ExitCode, result.Output())
	}
	env["JWKS_URL"] = p.Issuer + "/nothing"
	if result := verify(); result.ExitCode != 1 || !strings.Contains(result.Stdout, "identity    FAILED  JWKS_URL: the answer has the status 404") {
		t.Errorf("a wrong path: exit code %d\n%s", result.ExitCode, result.Output())
	}
	p.stop()
	if result := verify(); result.ExitCode != 1 || !strings.Contains(result.Stdout, "identity    FAILED  JWKS_URL: ") {
		t.Errorf("unreachable: exit code %d\n%s", result.ExitCode, result.Output())
	}
}

// TestNoTokenWithoutSecret checks that the token command fails without
// JWT_SECRET, because the program has no key of the identity server.
func TestNoTokenWithoutSecret(t *testing.T) {
	t.Parallel()
	env := map[string]string{"JWKS_URL": "https://id.example.com/keys", "JWT_ISSUER": "x", "JWT_AUDIENCE": "x"}
	result := harness.Execute(t, env, "token", "--sub", "alice")
	if result.ExitCode != 1 || !strings.Contains(result.Stderr, "JWT_SECRET") || !strings.Contains(result.Stderr, "JWKS_URL") || result.Stdout != "" {
		t.Errorf("exit code %d\n%s", result.ExitCode, result.Output())
	}
}
