//go:build deploy

package deploy_test

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCompose checks what `docker compose up` runs.
func TestCompose(t *testing.T) {
	t.Parallel()
	file := composeFile(t, "JWT_SECRET="+jwtSecret)
	server := file.Services["server"]
	checkNeighbours(t, server.Environment, file.Services["postgres"].Environment)
	if server.Environment["OPENROUTER_MODEL"] != "maker/model" {
		t.Error("a setting of .env does not reach the server")
	}
	if server.Environment["HOST"] != "0.0.0.0" || server.Environment["PORT"] != "8080" || server.Ports[0].Target != 8080 {
		t.Errorf("the published port %v is not the server's", server.Ports)
	}
	for _, name := range []string{"server", "migrate"} {
		if s := file.Services[name]; !s.ReadOnly || strings.Join(s.CapDrop, "") != "ALL" || len(s.SecurityOpt) != 1 {
			t.Errorf("%s has more rights than it needs: %+v", name, s)
		}
	}
	grace, err := time.ParseDuration(server.StopGracePeriod)
	if err != nil {
		t.Fatal(err)
	}
	runWithSettings(t, server.Environment, file.Services["migrate"].Command, server.Command, grace)
}

// TestComposeSettings checks that .env overrides the settings of the file,
// except those that the file must set itself.
func TestComposeSettings(t *testing.T) {
	t.Parallel()
	server := composeFile(t, "JWKS_URL=https://id.example.com/keys", "SHUTDOWN_TIMEOUT=3m", "STOP_GRACE_PERIOD=200s").Services["server"]
	if env := server.Environment; env["JWT_SECRET"] != "" || env["JWKS_URL"] != "https://id.example.com/keys" || env["SHUTDOWN_TIMEOUT"] != "3m" {
		t.Errorf("the server's settings are %v", env)
	}
	if grace, err := time.ParseDuration(server.StopGracePeriod); err != nil || grace != 200*time.Second {
		t.Errorf("the grace is %s (%v)", server.StopGracePeriod, err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", ".", composeFolder(t)) //nolint:gosec // the tests' own words
	cmd.Dir = "compose"
	if text, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(text), "set JWT_SECRET or JWKS_URL") {
		t.Errorf("without a key for tokens: %v\n%s", err, text)
	}
}

// checkNeighbours checks that the settings lead to the services of the same
// file.
func checkNeighbours(t *testing.T, server, postgres map[string]string) {
	t.Helper()
	database, err := url.Parse(server["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	password, _ := database.User.Password()
	for name, value := range map[string]string{
		"POSTGRES_USER": database.User.Username(), "POSTGRES_PASSWORD": password,
		"POSTGRES_DB": strings.TrimPrefix(database.Path, "/"),
	} {
		if postgres[name] != value {
			t.Errorf("the server says %q, PostgreSQL's %s is %q", value, name, postgres[name])
		}
	}
	redis, err := url.Parse(server["REDIS_URL"])
	if err != nil || redis.Hostname() != "redis" || database.Hostname() != "postgres" {
		t.Errorf("the server looks for %q and %q (%v)", database.Host, redis, err)
	}
}

type composeProject struct {
	Services map[string]composeService `json:"services"`
}

type composeService struct {
	Command         []string          `json:"command"`
	Environment     map[string]string `json:"environment"`
	ReadOnly        bool              `json:"read_only"`
	CapDrop         []string          `json:"cap_drop"`
	SecurityOpt     []string          `json:"security_opt"`
	StopGracePeriod string            `json:"stop_grace_period"`
	Ports           []struct {
		Target int `json:"target"`
	} `json:"ports"`
}

// composeFile returns compose.yaml as an engine reads it, with these lines
// added to its .env.
func composeFile(t *testing.T, lines ...string) composeProject {
	t.Helper()
	var project composeProject
	parse(t, output(t, "compose", nil, "go", "run", ".", composeFolder(t, lines...)), &project)
	return project
}

// composeFolder returns the path of a copy of compose.yaml with its .env.
func composeFolder(t *testing.T, lines ...string) string {
	t.Helper()
	folder := t.TempDir()
	lines = append(lines, "POSTGRES_PASSWORD=letters1", "OPENROUTER_API_KEY=sk-or-v1-0f9d8c7b", "OPENROUTER_MODEL=maker/model")
	dotenv := strings.Join(lines, "\n") + "\n"
	for name, content := range map[string]string{"compose.yaml": read(t, "compose.yaml"), ".env": dotenv} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(folder, "compose.yaml")
}
