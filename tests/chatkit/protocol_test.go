//go:build chatkit

package chatkit_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestProtocol plays every scenario on the reference and on ours, and compares.
func TestProtocol(t *testing.T) {
	all := scenarios(t)
	reference := startReference(t, false).playAll(t, all)
	t.Run("golden", func(t *testing.T) { golden(t, "golden", all, reference) })
	t.Run("plain", func(t *testing.T) {
		t.Parallel()
		golden(t, "golden/plain", all, startReference(t, true).playAll(t, all))
	})
	t.Run("comparator", func(t *testing.T) {
		t.Parallel()
		second := startReference(t, false).playAll(t, all)
		alike(t, all, reference, second)
		notices(t, all, reference, second)
	})
	t.Run("ours", func(t *testing.T) {
		t.Parallel()
		testOurs(t, startOurs(t), all, reference)
	})
}

func (tg *target) playAll(t *testing.T, all []scenario) map[string][]record {
	t.Helper()
	runs := make(map[string][]record)
	for _, s := range all {
		runs[s.Name] = tg.play(t, s)
	}
	return runs
}

// testOurs checks that ours answers every scenario as the reference does, in the
// package's own types.
func testOurs(t *testing.T, tested *target, all []scenario, reference map[string][]record) {
	allowed := differences(t)
	var transcript []record
	for _, s := range all {
		t.Run(s.Name, func(t *testing.T) {
			got := tested.play(t, s)
			transcript = append(transcript, got...)
			for _, complaint := range compare(t, s, reference[s.Name], got, allowed) {
				t.Error(complaint)
			}
			for n, st := range s.Steps {
				for _, complaint := range checkAsked(st.Asked, got[n]) {
					t.Errorf("step %d: %s", n, complaint)
				}
			}
		})
	}
	t.Run("types", func(t *testing.T) {
		if said, ok := checkTypes(t, transcript); !ok {
			t.Errorf("some answers are not of the package's types:\n%s", said)
		} else {
			t.Log(said)
		}
	})
}

// checkTypes validates a transcript by the package's types.
func checkTypes(t *testing.T, records []record) (said string, ok bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "transcript.jsonl")
	var lines strings.Builder
	for _, r := range records {
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(line)
		lines.WriteByte('\n')
	}
	if err := os.WriteFile(path, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python(t), "check.py", path) //nolint:gosec // words of ours
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1"}
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// startOurs starts the server under test with an upstream of its own, the
// reference's tools over MCP and a folder for files.
func startOurs(t *testing.T) *target {
	t.Helper()
	u := newUpstream(t)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	server := harness.Start(t, harness.Options{Env: map[string]string{
		"OPENROUTER_BASE_URL":   u.URL,
		"OPENROUTER_MODEL":      "test/model",
		"MODELS":                "test/model,test/other",
		"MAX_SESSIONS_PER_USER": "1000",
		"MAX_MESSAGE_CHARS":     "10000",
		"MCP_SERVERS":           writeServers(t, here),
		"ATTACHMENTS_URL":       "file:///" + filepath.Join(t.TempDir(), "files"), // a fourth slash: an absolute path
	}})
	ours := &target{
		name: "ours", url: server.URL + "/api/v1/chatkit", upstream: u, toolPrefix: ourPrefix,
		authorization: func(t *testing.T, user string) string {
			t.Helper()
			return "Bearer " + harness.Token(t, server.Secret, user)
		},
	}
	awaitTools(t, ours)
	return ours
}

// writeServers writes the file that names the MCP server.
func writeServers(t *testing.T, here string) string {
	t.Helper()
	servers := map[string]any{"mcpServers": map[string]any{"tasks": map[string]any{
		"command": python(t), "args": []string{"-m", "reference.mcp_server"},
		"env": map[string]string{"PYTHONPATH": here, "PYTHONDONTWRITEBYTECODE": "1"},
	}}}
	content, err := json.Marshal(servers)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "mcp.json")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// awaitTools sends messages until the tools are offered to the upstream: the MCP
// server starts while ours serves already.
func awaitTools(t *testing.T, tg *target) {
	t.Helper()
	request := `{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"Ready?"}],` +
		`"attachments":[],"inference_options":{}}}}`
	answers := []upstreamAnswer{{Chunks: []json.RawMessage{
		json.RawMessage(`{"delta":{"content":"Yes."}}`), json.RawMessage(`{"finish_reason":"stop"}`),
	}}}
	for deadline := time.Now().Add(startPatience); time.Now().Before(deadline); time.Sleep(pause) {
		tg.upstream.prepare(answers)
		if r := tg.send(t, "nobody", []byte(request), step{}); r.Status != 200 {
			t.Errorf("ours does not answer a message: %d %s", r.Status, r.Body)
			return
		}
		for _, asked := range tg.upstream.requests() {
			if strings.Contains(string(asked), tg.toolPrefix+"add_task") {
				return
			}
		}
	}
	t.Errorf("ours does not offer the tools of its MCP server within %s", startPatience)
}
