package harness

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// stopTimeout bounds the time that a process takes to exit after SIGTERM.
const stopTimeout = 20 * time.Second

// process is a running program.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{}
	log    *output
}

// spawn starts the program with the variables of env. It gets no other variables
// except PATH, HOME and TMPDIR.
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
		_ = cmd.Wait() // The exit code is in ProcessState.
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

// stop sends SIGTERM and returns the exit code, or kills the process after
// stopTimeout and returns -1.
func (p *process) stop(tb testing.TB) int {
	tb.Helper()
	p.signal(tb, syscall.SIGTERM)
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	select {
	case <-p.exited:
	case <-timeout.C:
		tb.Errorf("the server did not end within %s of SIGTERM; it was killed", stopTimeout)
		p.kill(tb)
	}
	return p.cmd.ProcessState.ExitCode()
}
