//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is a user of the operating system.
type account struct{ uid, gid int }

// unprivilegedUser returns the account that runs postgres, which refuses root.
// It is nil if this process is not root.
func unprivilegedUser() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // no account is an answer here
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(found.Uid)
		gid, gidErr := strconv.Atoi(found.Gid)
		if uidErr == nil && gidErr == nil {
			return &account{uid: uid, gid: gid}, nil
		}
	}
	return nil, errors.New("postgres refuses to run as root, and this machine has neither a user postgres nor nobody")
}

func credential(owner *account) *syscall.Credential {
	if owner == nil {
		return nil
	}
	return &syscall.Credential{Uid: uint32(owner.uid), Gid: uint32(owner.gid)} //nolint:gosec // from the user database
}

// lockFile waits for a lock on the file. The lock is released when this process
// exits.
func lockFile(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // a path of this package
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}

func tryLockFile(path string) (unlock func(), ok bool) {
	file, err := os.OpenFile(path, os.O_RDWR, 0o600) //nolint:gosec // a path of this package
	if err != nil {
		return nil, false
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, false
	}
	return func() { _ = file.Close() }, true
}
