package mcp

import (
	"os"
	"os/exec"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// pipesPatience is how long the pipes of a command that has ended may be held
// open by what it left behind.
const pipesPatience = time.Second

// newCarrier is a new one for each connection.
func (s *server) newCarrier() carrier {
	if s.Command == "" {
		return newHTTPTransport(s)
	}
	cmd := exec.Command(s.Command, s.Args...) //nolint:gosec // the operator names it
	cmd.Dir, cmd.Env, cmd.WaitDelay = s.Folder, append(inherited(), s.Env...), pipesPatience
	cmd.SysProcAttr = childAttributes()
	words := newStderrLog(s.logger, s.redact)
	cmd.Stderr = words
	return &command{cmd, words, s.pace.stop}
}

// command is a server that is a child of this process.
type command struct {
	cmd   *exec.Cmd
	words *stderrLog
	stop  time.Duration
}

func (c *command) transport() sdk.Transport {
	return &sdk.CommandTransport{Command: c.cmd, TerminateDuration: c.stop}
}

func (c *command) cut() {
	if c.cmd.Process != nil {
		killAll(c.cmd.Process)
	}
}

func (c *command) lastStderrLine() string { return c.words.last() }

// inherited are the variables that a program needs to run at all. No other is
// passed on, for this process's environment has secrets.
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
