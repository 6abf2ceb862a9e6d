package harness

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"
)

// commandTimeout bounds the duration of a command.
const commandTimeout = 60 * time.Second

// Result is the outcome of a command.
type Result struct {
	ExitCode int
	Stdout   string
	Stderr   string
}

// Output returns everything that the command printed.
func (r Result) Output() string { return r.Stdout + r.Stderr }

// Execute runs the program in an empty folder with these settings only.
func Execute(tb testing.TB, env map[string]string, args ...string) Result {
	tb.Helper()
	return ExecuteIn(tb, tb.TempDir(), env, args...)
}

// ExecuteIn is Execute in a given folder.
func ExecuteIn(tb testing.TB, folder string, env map[string]string, args ...string) Result {
	tb.Helper()
	binary := Binary(tb)
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...) //nolint:gosec // the program under test
	cmd.Dir, cmd.Env = folder, environ(env)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		tb.Fatalf("chatkit-rest %v did not end within %s\n%s%s", args, commandTimeout, stdout.String(), stderr.String())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		tb.Fatalf("chatkit-rest %v: %v", args, err)
	}
	checkLog(tb, stderr.String())
	return Result{ExitCode: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
}
