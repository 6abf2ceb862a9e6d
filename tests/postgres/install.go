package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const installTimeout = 10 * time.Minute

// noMainCluster is a file that keeps Debian's package from creating and
// starting a cluster of its own.
const noMainCluster = "/etc/postgresql-common/createcluster.d/no-main-cluster.conf"

// startPolicy is the program that Debian's packages run before they start a
// service. Exit code 101 forbids the start.
const startPolicy = "/usr/sbin/policy-rc.d"

// mayInstall reports whether this is root on a Debian.
func mayInstall() bool {
	if os.Geteuid() != 0 {
		return false
	}
	_, err := exec.LookPath("apt-get")
	return err == nil
}

// install installs a package of the distribution. Other test processes wait for
// the first one; installed reports that nothing is left to do.
func install(ctx context.Context, name string, installed func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	unlock, err := lockFile(filepath.Join(os.TempDir(), "chatkit-rest-install.lock"))
	if err != nil {
		return fmt.Errorf("wait for another installation: %w", err)
	}
	defer unlock()
	if installed() {
		return nil
	}
	fmt.Fprintf(os.Stderr, "Installing the package %s with apt-get; it starts nothing\n", name)
	restore, err := startNothing()
	if err != nil {
		return err
	}
	defer restore()
	if err := aptGet(ctx, "update"); err != nil {
		return err
	}
	return aptGet(ctx, "install", "--yes", "--no-install-recommends", name)
}

// startNothing keeps packages from starting a service. PostgreSQL's also makes
// a cluster unless a file forbids it.
func startNothing() (restore func(), err error) {
	if err := os.MkdirAll(filepath.Dir(noMainCluster), 0o755); err != nil { //nolint:gosec // the package's own mode
		return nil, fmt.Errorf("keep the package from starting a cluster: %w", err)
	}
	if err := os.WriteFile(noMainCluster, []byte("create_main_cluster = false\n"), 0o644); err != nil { //nolint:gosec // as above
		return nil, fmt.Errorf("keep the package from starting a cluster: %w", err)
	}
	if _, err := os.Stat(startPolicy); err == nil {
		return func() { _ = os.Remove(noMainCluster) }, nil // The machine has its own policy.
	}
	if err := os.WriteFile(startPolicy, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil { //nolint:gosec // a program
		return nil, fmt.Errorf("keep the package from starting a service: %w", err)
	}
	return func() { _, _ = os.Remove(noMainCluster), os.Remove(startPolicy) }, nil
}

func aptGet(ctx context.Context, args ...string) error {
	args = append([]string{"-o", "DPkg::Lock::Timeout=300", "--quiet"}, args...)
	cmd := exec.CommandContext(ctx, "apt-get", args...) //nolint:gosec // the arguments are constants
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("apt-get failed: %w", err)
	}
	return nil
}
