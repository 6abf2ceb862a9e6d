package harness

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// stopPatience is how long a process may take to exit after SIGTERM.
const stopPatience = 20 * time.Second

// process is a running program.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{}
	log    *output
}

// spawn starts the program. From the environment of the tests it gets only the
// variables that every process needs.
func spawn(tb testing.TB, env map[string]string, folder string, log *output, args ...string) *process {
	tb.Helper()
	cmd := exec.Command(Binary(tb), args...) //nolint:gosec // the program under test, ended by stop or kill
	cmd.Dir, cmd.Env = folder, environ(env)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		tb.Fatalf("start the program: %v", err)
	}
	p := &process{cmd: cmd, exited: make(chan struct{}), log: log}
	go func() {
		_ = cmd.Wait() // Its exit code is read from the state.
		close(p.exited)
	}()
	return p
}

// environ returns the environment of the program.
func environ(env map[string]string) []string {
	list := []string{"GORACE=atexit_sleep_ms=0"} // Otherwise the race detector waits for a second at exit.
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			list = append(list, name+"="+value)
		}
	}
	for name, value := range env {
		if value != Unset {
			list = append(list, name+"="+value)
		}
	}
	return list
}

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// signal sends a signal, unless the process has exited.
func (p *process) signal(tb testing.TB, signal syscall.Signal) {
	tb.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		tb.Errorf("send %s to the server: %v", signal, err)
	}
}

// kill sends SIGKILL.
func (p *process) kill(tb testing.TB) {
	tb.Helper()
	p.signal(tb, syscall.SIGKILL)
	<-p.exited
}

// stop sends SIGTERM and returns the exit code, or -1 if the process had to be
// killed.
func (p *process) stop(tb testing.TB) int {
	tb.Helper()
	p.signal(tb, syscall.SIGTERM)
	patience := time.NewTimer(stopPatience)
	defer patience.Stop()
	select {
	case <-p.exited:
	case <-patience.C:
		tb.Errorf("the server did not end within %s of SIGTERM; it was killed", stopPatience)
		p.kill(tb)
	}
	return p.cmd.ProcessState.ExitCode()
}
