//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package postgres

import "syscall"

// childAttributes makes a child process that runs as owner. The child outlives
// this process if this process is killed: only Linux has a parent death signal.
func childAttributes(owner *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential(owner), Setpgid: true}
}
