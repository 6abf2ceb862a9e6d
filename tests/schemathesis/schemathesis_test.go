//go:build schemathesis

package schemathesis_test

import (
	"cmp"
	"os"
	"os/exec"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestDocumentHolds sends generated requests, right and wrong ones, to every
// operation and checks each answer against the served document. EXAMPLES is how
// many requests it generates for an operation.
func TestDocumentHolds(t *testing.T) {
	examples := cmp.Or(os.Getenv("EXAMPLES"), "100")
	for name, env := range map[string]map[string]string{
		"with files":    {"ATTACHMENTS_URL": "file://" + t.TempDir(), "MODELS": "a/one,b/two"},
		"without files": {"MODELS": "a/one,b/two"},
	} {
		t.Run(name, func(t *testing.T) {
			env["MAX_SESSIONS_PER_USER"] = "1000000"
			env["LOG_LEVEL"] = "warn"
			server := harness.Start(t, harness.Options{Env: env})
			runSchemathesis(t, server, examples)
		})
	}
}

func runSchemathesis(t *testing.T, server *harness.Server, examples string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), ".venv/bin/schemathesis", "--config-file", "schemathesis.toml",
		"run", server.URL+"/openapi.json", "--max-examples", examples, "--no-color",
		"--generation-database", "none",
		"--header", "Authorization: Bearer "+harness.Token(t, server.Secret, "alice"))
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		t.Errorf("Schemathesis found faults: %v", err)
	}
}
