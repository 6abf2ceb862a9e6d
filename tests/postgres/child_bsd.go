//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package postgres

import "syscall"

// childAttributes make a child that runs as owner. It outlives this process if
// that is killed: only Linux has a death signal.
func childAttributes(owner *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential(owner), Setpgid: true}
}
