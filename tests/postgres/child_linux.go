package postgres

import "syscall"

// childAttributes makes a child process that runs as owner and ends with this
// process, even if this one is killed. SIGQUIT is PostgreSQL's immediate
// shutdown.
func childAttributes(owner *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential(owner), Pdeathsig: syscall.SIGQUIT, Setpgid: true}
}
