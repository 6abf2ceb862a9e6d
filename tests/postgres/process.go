package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// process is a program that runs until stop, or until the test process ends.
type process struct {
	name   string
	os     *os.Process
	exited chan struct{} // closed when the program has exited
}

// startProcess starts a command from a thread that lives as long as the
// command. Linux sends the parent death signal when the thread that started the
// child ends.
func startProcess(cmd *exec.Cmd) (*process, error) {
	started := make(chan error)
	exited := make(chan struct{})
	go onOwnThread(func() {
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // The program's log has the cause.
		}
		close(exited)
	})
	if err := <-started; err != nil {
		return nil, err
	}
	return &process{name: filepath.Base(cmd.Path), os: cmd.Process, exited: exited}, nil
}

// stop sends the signal and waits until the program has exited.
func (p *process) stop(signal syscall.Signal) error {
	if err := p.os.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("%s did not stop within %s", p.name, stopTimeout), p.os.Kill())
	}
}
