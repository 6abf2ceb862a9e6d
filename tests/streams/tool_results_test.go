package streams_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
	"github.com/chatkit-rest/chatkit-rest/tests/tasks"
)

// The result of a tool is not lost if the database is unreachable for longer than
// the lease of the run: the run waits, and then continues.
func TestDatabaseAwayDuringATool(t *testing.T) {
	t.Parallel()
	servers, err := json.Marshal(map[string]any{"mcpServers": map[string]any{"tasks": map[string]any{"command": tasks.Binary(t)}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "servers.json")
	if err := os.WriteFile(path, servers, 0o600); err != nil {
		t.Fatal(err)
	}
	direct := harness.NewDatabase(t, harness.Postgres)
	between := newRelay(t, direct)
	s := newStand(t, harness.Options{DatabaseURL: between.URL, Env: map[string]string{"MCP_SERVERS": path}})
	s.lookInto(t, direct)
	s.AwaitLog(t, "a tool server is connected")
	user := s.User(t)
	session := user.CreateSession()
	s.Upstream.Answer("Take your time",
		harness.ToolCallAnswer(harness.Call{ID: "call_1", Name: "tasks__slow", Arguments: `{"milliseconds":1000}`}), harness.TextAnswer("Done."))
	run := sendRun(t, s, user, session, "Take your time")
	run.open(t)
	run.until(t, "progress_update")

	between.cut()
	harness.Eventually(t, leasePatience, "the run's lease is over", func() bool {
		row, _ := s.run(t, run.id())
		return row.LeaseUntil < time.Now().UnixMicro()
	})
	if !strings.Contains(s.Log(), "saving a run failed") {
		t.Error("the server did not try to save the results")
	}
	between.mend(t)
	if told := run.until(t, endOfStream); told.answer != "Done." || told.fault.Code != "" {
		t.Fatalf("the stream ended with %v, %+v", told.types, told.fault)
	}
	if row := s.ended(t, run.id(), soon); row.Status != "completed" {
		t.Errorf("the run is %s, code %q", row.Status, row.FailureCode)
	}
	if told := s.Upstream.Requests("Take your time")[1].Results()["call_1"]; told != "waited" {
		t.Errorf("the model was told %q", told)
	}
	checkGoesOn(t, user, session)
	for _, message := range s.Upstream.Requests(askWord + " and then, " + t.Name())[0].Body.Messages {
		if message.Role == "tool" && message.Content != "waited" {
			t.Errorf("later the model is told %q", message.Content)
		}
	}
}
