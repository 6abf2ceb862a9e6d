package mcp

import (
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/tests/tasks"
)

// TestResultsHoldNoSecret: a server's secrets are removed from results.
func TestResultsHoldNoSecret(t *testing.T) {
	t.Parallel()
	const secret, folder = "sk-very-secret-0123456789", "/srv/notes-2026/files"
	b := open(t, Server{
		Name: "tasks", Command: tasks.Binary(t), Env: []string{"TASKS_KEY=" + secret, "TASKS_FOLDER=" + folder},
		Hidden: []string{secret, folder},
	})
	for name, want := range map[string]string{"TASKS_KEY": hidden, "TASKS_FOLDER": folder} {
		result := b.Call(t.Context(), chat.ToolUse{Name: "tasks__env", Arguments: `{"name":"` + name + `"}`})
		if strings.Contains(result.Text, secret) || !strings.Contains(result.Text, want) {
			t.Errorf("%s: %q, want %q in it", name, result.Text, want)
		}
	}
	refused := b.Call(t.Context(), chat.ToolUse{Name: "tasks__add_task", Arguments: `{"title":1,"` + secret + `":2}`})
	if !refused.Failed || strings.Contains(refused.Text, secret) {
		t.Errorf("refused: %+v", refused)
	}
}

// TestRedactorKnowsSecretsByTheirLook: values whose names say nothing are judged
// by their form.
func TestRedactorKnowsSecretsByTheirLook(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		"sk-1234567": true, "Bearer abcdefghijklmnop": true, "hunter22": true,
		"/wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY": true, "postgres://u:letters-only@db2.example.com/x": true,
		"https://hooks.example.com/T00/B00/XXXXXXXXXXXX12345678": true,
		"production": false, "/data/v2/files": false, "./data-2026": false, "~/data-2026": false,
		"https://wiki2.example.com/": false, "application/json": false, "12345678": false, "short1": false,
		"my-organisation/my-repository": false,
	} {
		if got := len(secretsIn(value)) > 0; got != want {
			t.Errorf("%q: %t", value, got)
		}
	}
	redact := newRedactor(Server{URL: "https://tools.example.com/mcp?key=abc12345&kind=all", Hidden: []string{"abcdefgh12345678"}})
	text := redact.forModel("GET https://tools.example.com/mcp?key=abc12345&kind=all failed; key abc12345, all, abcdefgh12345678.")
	if named := newRedactor(Server{Secrets: []string{"letters"}}); named.forModel("the letters") != "the "+hidden {
		t.Error("a value whose name tells that it is secret is told")
	}
	if want := "GET " + hidden + " failed; key " + hidden + ", all, " + hidden + "."; text != want {
		t.Errorf("%q, want %q", text, want)
	}
}
