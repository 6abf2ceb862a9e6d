package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/bench/loadclient"
	"github.com/chatkit-rest/chatkit-rest/tests/child"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
	// clockTick is the unit of CPU time in /proc, on every Linux that Go runs on.
	clockTick = 10 * time.Millisecond
)

// process is a process that the benchmark started.
type process struct {
	name string
	// address is the host:port on which it listens.
	address string

	cmd    *exec.Cmd
	stdin  io.Closer
	stderr *child.Tail
	exited chan struct{}
}

// startRole starts this program in a role; see package role.
func startRole(ctx context.Context, role string, env ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, role) //nolint:gosec // this program
	cmd.Env = append(environment(), env...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	p := &process{name: role, cmd: cmd, stdin: stdin, stderr: &child.Tail{}, exited: make(chan struct{})}
	cmd.Stderr = p.stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	go p.wait()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s did not print its address: %w: %s", role, err, p.stderr), p.stop())
	}
	p.address = strings.TrimSpace(line)
	return p, nil
}

// startServer starts the server. The settings in env must make it listen on the
// address.
func startServer(ctx context.Context, program, folder, address string, env []string) (*process, error) {
	cmd := exec.CommandContext(ctx, program, "serve", "--migrate")
	cmd.Dir, cmd.Env = folder, append(environment(), env...)
	p := &process{name: "server", address: address, cmd: cmd, stderr: &child.Tail{}, exited: make(chan struct{})}
	cmd.Stderr = p.stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	go p.wait()
	if err := p.await(ctx, "/health"); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// environment returns the variables that every process gets.
func environment() []string {
	var list []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			list = append(list, name+"="+value)
		}
	}
	return list
}

func (p *process) wait() {
	_ = p.cmd.Wait() // The outcome is in ProcessState.
	close(p.exited)
}

// await waits until a GET of the path returns 200.
func (p *process) await(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		if _, err := loadclient.Get(ctx, p.address, path); err == nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-p.exited:
			return fmt.Errorf("%s ended at its start: %s", p.name, p.stderr)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready after %s: %s", p.name, startTimeout, p.stderr)
		}
	}
}

// stop stops the process and waits for its end.
func (p *process) stop() error {
	if p.stdin != nil {
		_ = p.stdin.Close() // A role stops when its standard input ends.
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("%s did not stop within %s", p.name, stopTimeout), p.cmd.Process.Kill())
	}
}

// cpuTime returns the CPU time that the process has used.
func (p *process) cpuTime() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the CPU time of %s: %w", p.name, err)
	}
	// The second field, the name, may have spaces; see proc(5). Fields 14 and
	// 15 are the user's and the system's time.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const user, system = 14 - 3, 15 - 3
	if len(fields) <= system {
		return 0, fmt.Errorf("read the CPU time of %s: /proc has %d fields", p.name, len(fields))
	}
	var ticks int64
	for _, field := range []string{fields[user], fields[system]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the CPU time of %s: %w", p.name, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// resident returns the resident memory of the process in bytes.
func (p *process) resident() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the memory of %s: %w", p.name, err)
	}
	for line := range strings.Lines(string(status)) {
		text, ok := strings.CutPrefix(line, "VmRSS:")
		if !ok {
			continue
		}
		kilobytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the memory of %s: %w", p.name, err)
		}
		return kilobytes << 10, nil
	}
	return 0, fmt.Errorf("read the memory of %s: /proc has no VmRSS", p.name)
}
