package contract_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestHealthcheck checks that the command finds the server by the same
// settings.
func TestHealthcheck(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Database: harness.SQLite})
	for _, host := range []string{"127.0.0.1", "0.0.0.0", "localhost"} {
		env := map[string]string{"HOST": host, "PORT": port(server), "HTTP_PROXY": "http://127.0.0.1:9"}
		for _, args := range [][]string{{"healthcheck"}, {"healthcheck", "--ready"}} {
			result := harness.Execute(t, env, args...)
			wantSuccess(t, result)
			if result.Stdout != "healthy\n" || result.Stderr != "" {
				t.Errorf("%q says %q", args, result.Output())
			}
		}
	}
	env := map[string]string{"PORT": port(server)}
	server.Stop()
	if result := harness.Execute(t, env, "healthcheck"); result.ExitCode != 1 || result.Stderr == "" {
		t.Errorf("without a server: exit code %d, %q", result.ExitCode, result.Output())
	}
	for _, value := range []string{"0", "http"} {
		result := harness.Execute(t, map[string]string{"PORT": value}, "healthcheck")
		checkRefused(t, result, nil, "PORT")
	}
}

// TestHealthcheckReady checks that a server without its database is healthy and
// not ready.
func TestHealthcheckReady(t *testing.T) {
	t.Parallel()
	proxy := harness.NewProxy(t, harness.NewDatabase(t, harness.Postgres))
	server := harness.Start(t, harness.Options{Database: harness.Postgres, DatabaseURL: proxy.DatabaseURL})
	env := map[string]string{"PORT": port(server)}
	wantSuccess(t, harness.Execute(t, env, "healthcheck", "--ready"))
	proxy.Disconnect()
	wantSuccess(t, harness.Execute(t, env, "healthcheck"))
	result := harness.Execute(t, env, "healthcheck", "--ready")
	if result.ExitCode != 1 || !strings.Contains(result.Stderr, "503") {
		t.Errorf("exit code %d, %q", result.ExitCode, result.Output())
	}
}

func port(server *harness.Server) string {
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	if _, err := strconv.Atoi(port); err != nil {
		panic(err)
	}
	return port
}
