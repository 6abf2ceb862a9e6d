package postgres

import "syscall"

// childAttributes make a child that runs as owner and dies with this process,
// even if this process is killed. SIGQUIT is PostgreSQL's immediate shutdown.
func childAttributes(owner *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential(owner), Pdeathsig: syscall.SIGQUIT, Setpgid: true}
}
