//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package postgres

import (
	"errors"
	"syscall"
)

// account is a user of the operating system.
type account struct{ uid, gid int }

var errUnsupported = errors.New("throw-away clusters need a Unix; set " + AdminURLVariable +
	" to the URL of a server whose user may create databases")

func unprivilegedUser() (*account, error) { return nil, errUnsupported }

func lockFile(string) (unlock func(), err error) { return nil, errUnsupported }

func tryLockFile(string) (unlock func(), ok bool) { return nil, false }

func childAttributes(*account) *syscall.SysProcAttr { return nil }
