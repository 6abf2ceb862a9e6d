//go:build deploy

package deploy_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
	"github.com/chatkit-rest/chatkit-rest/tests/redis"
)

// saveGrace is how much longer than SHUTDOWN_TIMEOUT a stop may take, see
// cmd/chatkit-rest/serve.go.
const saveGrace = 15 * time.Second

// withTestServices replaces the database, Redis, the model and the secret in
// the settings of a deployment file by those of the test. The caller checks the
// file's own values.
func withTestServices(t *testing.T, settings map[string]string, upstream *harness.Upstream) map[string]string {
	t.Helper()
	env := maps.Clone(settings)
	if env["REDIS_URL"] != "" {
		env["REDIS_URL"] = redis.Start(t, redis.Options{}).URL
	}
	if env["METRICS_ADDR"] != "" {
		env["METRICS_ADDR"] = "127.0.0.1:0"
	}
	env["DATABASE_URL"] = harness.NewDatabase(t, harness.Postgres)
	env["JWT_SECRET"] = jwtSecret
	env["OPENROUTER_API_KEY"], env["OPENROUTER_BASE_URL"] = upstream.Key, upstream.URL
	return env
}

// runWithSettings runs the image with the settings of a file: migrate,
// verify-env, serve, a message, and a stop during an answer.
func runWithSettings(t *testing.T, settings map[string]string, migrate, serve []string, grace time.Duration) {
	t.Helper()
	i, upstream := theImage(t), harness.NewUpstream(t)
	env := withTestServices(t, settings, upstream)
	if code := i.start(t, hostNetwork, env, migrate...).wait(patience); code != 0 {
		t.Fatalf("%v: exit code %d", migrate, code)
	}
	report := i.start(t, hostNetwork, env, "verify-env")
	if code := report.wait(patience); code != 0 || !strings.Contains(report.log.String(), "PostgreSQL") {
		t.Errorf("verify-env: exit code %d\n%s", code, report.log.String())
	}
	timeout, err := time.ParseDuration(env["SHUTDOWN_TIMEOUT"])
	if err != nil || grace < timeout+saveGrace {
		t.Errorf("the grace of %s does not fit SHUTDOWN_TIMEOUT (%s) and %s to save (%v)", grace, timeout, saveGrace, err)
	}
	c, address := i.serve(t, env, serve...)
	client := newCaller(t, "http://"+address, "127.0.0.1")
	gate := make(chan struct{})
	upstream.Answer("Good bye", harness.Script{
		harness.Text("Good"), harness.Wait(gate), harness.Text(" bye"), harness.Finish("stop"), harness.Done(),
	})
	session := client.createSession()
	run := client.say(session, "Good bye")
	run.delta(t, "Good")
	stopped := make(chan int, 1)
	go func() { stopped <- c.stop(grace) }()
	harness.Eventually(t, patience, "the server takes no new connection", func() bool { return get(t, "http://"+address+"/health") == 0 })
	close(gate)
	run.delta(t, " bye")
	if events := run.rest(t); len(events) == 0 || events[len(events)-1] != "[DONE]" {
		t.Errorf("the running answer was cut off: it ended with %v", events)
	}
	if code := <-stopped; code != 0 {
		t.Errorf("the exit code is %d", code)
	}
}
