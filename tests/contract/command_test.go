package contract_test

import (
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// wantSuccess fails the test unless the command succeeded.
func wantSuccess(t *testing.T, result harness.Result) {
	t.Helper()
	if result.ExitCode != 0 {
		t.Fatalf("the exit code is %d:\n%s", result.ExitCode, result.Output())
	}
}

// TestUsage checks that a wrong command line prints the commands.
func TestUsage(t *testing.T) {
	t.Parallel()
	commands := []string{"serve", "verify-env", "token", "migrate", "openapi", "version"}
	for name, args := range map[string][]string{"none": {}, "unknown": {"sever"}, "unknown flag": {"serve", "--demmo"}, "migrate sideways": {"migrate", "sideways"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := harness.Execute(t, map[string]string{"DATABASE_URL": harness.NewDatabase(t, harness.SQLite)}, args...)
			if result.ExitCode <= 0 || result.Stderr == "" || result.Stdout != "" {
				t.Errorf("exit code %d, output %q", result.ExitCode, result.Output())
			}
		})
	}
	result := harness.Execute(t, nil, "help")
	wantSuccess(t, result)
	for _, command := range commands {
		if !strings.Contains(result.Stdout, command) {
			t.Errorf("help does not list %s:\n%s", command, result.Stdout)
		}
	}
	version := harness.Execute(t, nil, "version")
	wantSuccess(t, version)
	if !regexp.MustCompile(`^chatkit-rest \S+\n$`).MatchString(version.Stdout) {
		t.Errorf("version prints %q", version.Stdout)
	}
}

// TestTokenCommand checks that the server accepts the command's token and that
// it is valid as long as requested.
func TestTokenCommand(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Database: harness.SQLite})
	env := map[string]string{"JWT_SECRET": server.Secret}
	result := harness.Execute(t, env, "token", "--sub", "somebody else", "--ttl", "5m")
	wantSuccess(t, result)
	token := strings.TrimSpace(result.Stdout)
	request := createRequest()
	request.Header = header("Authorization", "Bearer "+token)
	answer := server.Do(t, request)
	wantOK(t, answer)
	if !strings.Contains(string(answer.Body), `"user_id":"somebody else"`) {
		t.Errorf("the session is %s", answer.Body)
	}
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err != nil {
		t.Fatal(err)
	}
	if left := time.Until(claims.ExpiresAt.Time); left > 5*time.Minute || left < 4*time.Minute {
		t.Errorf("the token is good for %s, want 5m", left)
	}
	for _, args := range [][]string{
		{}, {"--sub", ""}, {"--sub", " "}, {"--sub", "a", "--ttl", "0s"}, {"--sub", "a", "--ttl", "soon"}, {"--sub", strings.Repeat("a", 256)},
	} {
		if result := harness.Execute(t, env, append([]string{"token"}, args...)...); result.ExitCode <= 0 || result.Stdout != "" {
			t.Errorf("token %q: exit code %d, %q", args, result.ExitCode, result.Stdout)
		}
	}
	for _, secret := range []string{"", hidden} {
		result := harness.Execute(t, map[string]string{"JWT_SECRET": secret}, "token", "--sub", "a")
		checkRefused(t, result, nil, "JWT_SECRET")
	}
}

// TestOpenAPICommand checks that the command prints the document that the
// server serves.
func TestOpenAPICommand(t *testing.T) {
	t.Parallel()
	env := otherValues()
	result := harness.Execute(t, env, "openapi")
	wantSuccess(t, result)
	server := harness.Start(t, harness.Options{Database: harness.SQLite, Env: env})
	if result.Stdout != served(t, server, "/openapi.yaml", "application/yaml") {
		t.Error("the command's document is not the served one")
	}
	asJSON := harness.Execute(t, env, "openapi", "--json")
	wantSuccess(t, asJSON)
	if !sameJSON(t, parseDocument(t, result.Stdout), parseDocument(t, asJSON.Stdout)) {
		t.Error("openapi and openapi --json differ")
	}
}

// TestVerifyEnv checks that verify-env reports faults of the settings and of
// external services without starting a server.
func TestVerifyEnv(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		upstream := harness.NewUpstream(t)
		good := func() map[string]string {
			env := harness.Settings(harness.NewDatabase(t, database), strings.Repeat("kq3Wm8Zt", 3)+"Yv1xRb6N", upstream)
			return env
		}
		env := good()
		wantSuccess(t, harness.Execute(t, env, "migrate", "up"))
		wantSuccess(t, harness.Execute(t, env, "verify-env"))

		env["OPENROUTER_API_KEY"] = "sk-or-v1-" + hidden
		checkRefused(t, harness.Execute(t, env, "verify-env"), env, "OPENROUTER_API_KEY")

		env = good()
		env["OPENROUTER_BASE_URL"] = fmt.Sprintf("http://127.0.0.1:%d/v1", harness.FreePort(t))
		checkRefused(t, harness.Execute(t, env, "verify-env"), env, "OPENROUTER_BASE_URL")
	})
}

// TestVerifyEnvDatabase tests verify-env with a database that cannot be reached
// and with one that has no schema.
func TestVerifyEnvDatabase(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	secret := strings.Repeat("kq3Wm8Zt", 3) + "Yv1xRb6N"
	away := fmt.Sprintf("postgresql://bob:%s@127.0.0.1:%d/chat", hidden, harness.FreePort(t))
	for name, url := range map[string]string{
		"PostgreSQL away": away, "SQLite in no folder": "sqlite:////proc/none/" + "chat.db",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := harness.Settings(url, secret, upstream)
			checkRefused(t, harness.Execute(t, env, "verify-env"), env, "DATABASE_URL")
			checkRefused(t, harness.Execute(t, env, "serve"), env, "DATABASE_URL")
		})
	}
	env := harness.Settings(harness.NewDatabase(t, harness.Postgres), secret, upstream)
	result := harness.Execute(t, env, "verify-env")
	if result.ExitCode <= 0 || !strings.Contains(result.Output(), "migrate up") {
		t.Errorf("without a schema verify-env says %s", result.Output())
	}
}

// TestListenAddressInUse checks that a server that cannot listen names the address and
// exits.
func TestListenAddressInUse(t *testing.T) {
	t.Parallel()
	first := harness.Start(t, harness.Options{Database: harness.SQLite})
	_, port, err := net.SplitHostPort(strings.TrimPrefix(first.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	env := harness.Settings(harness.NewDatabase(t, harness.SQLite), first.Secret, first.Upstream)
	env["PORT"] = port
	checkRefused(t, harness.Execute(t, env, "serve"), env, "PORT")
}

// TestDemo checks that the demo needs no settings and prints a command to try
// it.
func TestDemo(t *testing.T) {
	t.Parallel()
	env := map[string]string{}
	for _, name := range []string{"DATABASE_URL", "JWT_SECRET", "OPENROUTER_API_KEY", "OPENROUTER_BASE_URL", "RATE_LIMIT_PER_MINUTE"} {
		env[name] = harness.Unset
	}
	server := harness.Start(t, harness.Options{Database: harness.SQLite, Env: env, Args: []string{"--demo"}})
	var said string
	harness.Eventually(t, harness.WaitTimeout, "the demo says how to try it", func() bool {
		said = server.Log()
		return strings.Contains(said, "curl") && strings.HasSuffix(said, "\n")
	})
	if !strings.Contains(said, "demo") || !strings.Contains(said, server.URL+"/docs") {
		t.Errorf("the demo does not say that it is one, or where the docs are:\n%s", said)
	}
	call := regexp.MustCompile(`curl -N ` + server.URL + `(\S+)[\s\S]+?Authorization: Bearer ([\w.-]+)'[\s\S]+?-d '([^']+)'`)
	parts := call.FindStringSubmatch(said)
	if parts == nil {
		t.Fatalf("the demo prints no curl line:\n%s", said)
	}
	answer := server.Do(t, harness.Request{
		Method: http.MethodPost, Path: parts[1], Header: header("Authorization", "Bearer "+parts[2]), Body: strings.NewReader(parts[3]),
	})
	wantOK(t, answer)
	events, err := harness.ReadEvents(strings.NewReader(string(answer.Body)))
	if err != nil || len(events) == 0 || events[len(events)-1].Type != done || !strings.Contains(strings.ToLower(harness.DeltaText(events)), "demo") {
		t.Errorf("the demo answers %s (%v)", answer.Body, err)
	}
}
