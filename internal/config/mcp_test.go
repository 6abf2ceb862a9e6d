package config_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// withServers returns a valid environment with a file of MCP servers and further
// values.
func withServers(t *testing.T, file string, more env) env {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mcp.json")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	e := with("MCP_SERVERS", path)
	maps.Copy(e, more)
	return e
}

// secrets returns the values of a list of secrets.
func secrets(list []config.Secret) []string {
	var values []string
	for _, secret := range list {
		values = append(values, secret.Reveal())
	}
	return values
}

// revealed returns a server in a form that a test can compare.
func revealed(server config.MCPServer) string {
	var pairs []string
	for _, list := range []map[string]config.Secret{server.Env, server.Headers} {
		for _, name := range slices.Sorted(maps.Keys(list)) {
			pairs = append(pairs, name+"="+list[name].Reveal())
		}
	}
	return fmt.Sprintf("%s %s %q in %q at %q with %q, tools %#v, %s, start %s, %t, hides %q", server.Name, server.Command, secrets(server.Args), server.Folder,
		server.URL.Reveal(), pairs, server.Tools, server.Timeout, server.StartTimeout, server.SendUserID, slices.Compact(slices.Sorted(slices.Values(secrets(slices.Concat(server.Secrets, server.Hidden))))))
}

func TestMCPServers(t *testing.T) {
	t.Parallel()
	got := load(t, withServers(t, `{"mcpServers": {
		"tasks": {"type": "stdio", "command": "${HOME}/tasks", "args": ["--key", "${TASKS_KEY}"], "env": {"MODE": "${MODE:-plain}", "TOKEN": "literal-token"},
			"cwd": "/srv", "allowedTools": [], "timeout": "5s", "startTimeout": "90s", "sendUserId": true},
		"search": {"url": "https://tools.example.com/mcp?key=${TASKS_KEY}", "headers": {"Authorization": "Bearer ${TASKS_KEY}"}},
		"off": {"disabled": true, "command": 1}
	}, "other": 1}`, env{"HOME": "/home/me", "TASKS_KEY": "key-4711"})).MCPServers
	want := []string{
		`search  [] in "" at "https://tools.example.com/mcp?key=key-4711" with ["Authorization=Bearer key-4711"], ` +
			`tools []string(nil), 30s, start 2m0s, false, hides ["Bearer key-4711" "key-4711"]`,
		`tasks /home/me/tasks ["--key" "key-4711"] in "/srv" at "" with ["MODE=plain" "TOKEN=literal-token"], ` +
			`tools []string{}, 5s, start 1m30s, true, hides ["key-4711" "literal-token"]`,
	}
	if len(got) != len(want) {
		t.Fatalf("got %d servers: %+v", len(got), got)
	}
	for i := range want {
		if text := revealed(got[i]); text != want[i] {
			t.Errorf("got\n%s\nwant\n%s", text, want[i])
		}
	}
}

func TestBadMCPServersAreRefused(t *testing.T) {
	t.Parallel()
	for file, words := range map[string]string{
		`{"mcpServers": {`: "line 1", "{\n\"mcpServers\":\n[\"hunter2\"]}": "line 3", `{}`: "without mcpServers", `{"mcpServer": {}}`: "without mcpServers",
		`{"mcpServers": {"a": "hunter2"}}`:                                                       `"a" is not a JSON object`,
		`{"mcpServers": {"a": null}}`:                                                            `"a" is not a JSON object`,
		`{"mcpServers": {"a b": {"command": "x"}}}`:                                              `"a b" has a name`,
		`{"mcpServers": {"a__b": {"command": "x"}}}`:                                             `"a__b" has a name`,
		`{"mcpServers": {"a_": {"command": "x"}}}`:                                               `"a_" has a name`,
		`{"mcpServers": {"` + strings.Repeat("a", 33) + `": {"command": "x"}}}`:                  `has a name`,
		`{"mcpServers": {"a": {}}}`:                                                              "a command or a url",
		`{"mcpServers": {"a": {"command": "x", "url": "https://a.example.com"}}}`:                "not both",
		`{"mcpServers": {"a": {"command": ""}}}`:                                                 `"command": is empty`,
		`{"mcpServers": {"a": {"command": 1}}}`:                                                  `"command": is not a string`,
		`{"mcpServers": {"a": {"command": "x", "args": "hunter2"}}}`:                             `"args": is not a list`,
		`{"mcpServers": {"a": {"command": "x", "args": [null]}}}`:                                `"args": is not a list`,
		`{"mcpServers": {"a": {"command": "x", "args": ["${NO_SUCH}"]}}}`:                        `"args": needs ${NO_SUCH}`,
		`{"mcpServers": {"a": {"command": "x", "env": ["hunter2"]}}}`:                            `"env": is not an object`,
		`{"mcpServers": {"a": {"command": "x", "env": {"A": 1}}}}`:                               `"env": is not an object`,
		`{"mcpServers": {"a": {"command": "x", "env": {"A": null}}}}`:                            `"env.A": is not a string`,
		`{"mcpServers": {"a": {"command": "x", "env": {"A=B": "hunter2"}}}}`:                     `is not a valid name`,
		`{"mcpServers": {"a": {"command": "x", "env": {"A": "${NO_SUCH}hunter2"}}}}`:             `"env.A": needs ${NO_SUCH}`,
		`{"mcpServers": {"a": {"command": "x", "headers": {}}}}`:                                 `"headers": does not belong`,
		`{"mcpServers": {"a": {"command": "x", "type": "http"}}}`:                                `"type": does not agree`,
		`{"mcpServers": {"a": {"command": "x", "allowedTool": ["hunter2"]}}}`:                    `"allowedTool": is not a known field`,
		`{"mcpServers": {"a": {"command": "x", "allowedTools": "hunter2"}}}`:                     `"allowedTools": is not a list`,
		`{"mcpServers": {"a": {"command": "x", "timeout": 30}}}`:                                 `"timeout": is not a valid time`,
		`{"mcpServers": {"a": {"command": "x", "timeout": "1h"}}}`:                               `"timeout": is not a valid time`,
		`{"mcpServers": {"a": {"command": "x", "startTimeout": 60}}}`:                            `"startTimeout": is not a valid time for a start`,
		`{"mcpServers": {"a": {"command": "x", "sendUserId": "yes"}}}`:                           `"sendUserId": is neither`,
		`{"mcpServers": {"a": {"command": "x", "disabled": "no"}}}`:                              `"disabled": is neither`,
		`{"mcpServers": {"a": {"url": "tools.example.com/hunter2"}}}`:                            `"url": is not an http`,
		`{"mcpServers": {"a": {"url": "https://u:hunter2@a.example.com"}}}`:                      `"url": has a user`,
		`{"mcpServers": {"a": {"url": "https://a.example.com#hunter2"}}}`:                        `"url": has a fragment`,
		`{"mcpServers": {"a": {"url": "https://a.example.com", "type": "sse"}}}`:                 `"type": does not agree`,
		`{"mcpServers": {"a": {"url": "https://a.example.com", "env": {}}}}`:                     `"env": does not belong`,
		`{"mcpServers": {"a": {"url": "https://a.example.com", "headers": {"A": "hunter2\n"}}}}`: `"headers.A": has a control`,
	} {
		t.Run(file[:min(len(file), 70)], func(t *testing.T) {
			t.Parallel()
			faults := faultsOf(t, withServers(t, file, nil), config.Options{})
			if len(faults) == 0 || faults[0].Name != "MCP_SERVERS" {
				t.Fatalf("got the faults %v", faults)
			}
			if text := faults.Error(); !strings.Contains(text, words) || strings.Contains(text, "hunter2") {
				t.Errorf("the faults do not say %q, or show a value: %s", words, text)
			}
		})
	}
}
