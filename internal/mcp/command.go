package mcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// pipesPatience is how long the pipes of a command that has exited may be held
// open by processes that it started.
const pipesPatience = time.Second

// newCarrier returns a carrier for one connection.
func (s *server) newCarrier() carrier {
	if s.Command == "" {
		return newHTTPTransport(s)
	}
	cmd := exec.Command(s.Command, s.Args...) //nolint:gosec // the operator names it
	cmd.Dir, cmd.Env, cmd.WaitDelay = s.Folder, append(inherited(), s.Env...), pipesPatience
	cmd.SysProcAttr = childAttributes()
	c := &command{
		cmd: cmd, stop: s.pace.stop, sanitize: s.sanitize,
		stdout: newOutputLog(s.logger, s.redact, "stdout"), stderr: newOutputLog(s.logger, s.redact, "stderr"),
	}
	cmd.Stderr = c.stderr
	return c
}

// command is a server that is a child of this process.
type command struct {
	cmd            *exec.Cmd
	stop           time.Duration
	sanitize       *sanitizer
	stdout, stderr *outputLog
}

func (c *command) transport() sdk.Transport { return c }

// Connect implements [sdk.Transport]: it starts the command.
func (c *command) Connect(ctx context.Context) (sdk.Connection, error) {
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	lines := &sdk.IOTransport{
		Reader:        io.NopCloser(newMessageReader(stdout, c.sanitize, c.stdout)),
		Writer:        &commandInput{stdin, c},
		MaxLineLength: -1, // messageReader bounds it.
	}
	return lines.Connect(ctx)
}

// commandInput is a command's stdin. Closing it ends the command.
type commandInput struct {
	io.WriteCloser

	command *command
}

var errUnstoppable = errors.New("the command did not exit after SIGTERM")

// Close implements [io.Closer]. It closes stdin, and sends SIGTERM to a command
// that does not exit then. The carrier's cut kills one that ignores that too.
func (i *commandInput) Close() error {
	closed := i.WriteCloser.Close()
	exited := make(chan error, 1)
	go func() { exited <- i.command.cmd.Wait() }()
	if err, ok := receive(exited, i.command.stop); ok {
		return errors.Join(closed, err)
	}
	if err := i.command.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("SIGTERM: %w", err)
	}
	if err, ok := receive(exited, i.command.stop); ok {
		return errors.Join(closed, err)
	}
	i.command.cut()
	return errors.Join(errUnstoppable, <-exited)
}

// receive waits for a result, for a time.
func receive(result <-chan error, patience time.Duration) (err error, ok bool) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-result:
		return err, true
	case <-timer.C:
		return nil, false
	}
}

func (c *command) cut() {
	if c.cmd.Process != nil {
		killAll(c.cmd.Process)
	}
}

func (c *command) lastOutput() string { return cmp.Or(c.stderr.lastLine(), c.stdout.lastLine()) }

// inherited returns the variables that a program needs to run at all. No other
// is passed on, because this process's environment holds secrets.
func inherited() []string {
	var env []string
	for _, name := range []string{
		"HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TEMP", "TERM", "TMP", "TMPDIR", "TZ", "USER",
		"APPDATA", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA", "PATHEXT", "PROCESSOR_ARCHITECTURE", "PROGRAMFILES",
		"SYSTEMDRIVE", "SYSTEMROOT", "USERNAME", "USERPROFILE",
	} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
