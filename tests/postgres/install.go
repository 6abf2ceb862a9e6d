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

// noMainCluster keeps Debian's package from making and starting a cluster of
// its own, which a test machine has no use for.
const noMainCluster = "/etc/postgresql-common/createcluster.d/no-main-cluster.conf"

// mayInstall says whether this is root on a Debian.
func mayInstall() bool {
	if os.Geteuid() != 0 {
		return false
	}
	_, err := exec.LookPath("apt-get")
	return err == nil
}

// install installs PostgreSQL from the distribution. Test binaries that run
// beside each other wait for the first, and find its work done.
func install(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	unlock, err := lockFile(filepath.Join(os.TempDir(), "chatkit-rest-install-postgresql.lock"))
	if err != nil {
		return fmt.Errorf("wait for another installation: %w", err)
	}
	defer unlock()
	if _, ok := lookPrograms(); ok {
		return nil
	}
	fmt.Fprintln(os.Stderr, "PostgreSQL is not installed; installing the package postgresql with apt-get, without a cluster of its own")
	removeConf, err := writeNoMainCluster()
	if err != nil {
		return err
	}
	defer removeConf()
	if err := aptGet(ctx, "update"); err != nil {
		return err
	}
	return aptGet(ctx, "install", "--yes", "--no-install-recommends", "postgresql")
}

func writeNoMainCluster() (remove func(), err error) {
	if err := os.MkdirAll(filepath.Dir(noMainCluster), 0o755); err != nil { //nolint:gosec // the package's own mode
		return nil, fmt.Errorf("keep the package from starting a cluster: %w", err)
	}
	if err := os.WriteFile(noMainCluster, []byte("create_main_cluster = false\n"), 0o644); err != nil { //nolint:gosec // as above
		return nil, fmt.Errorf("keep the package from starting a cluster: %w", err)
	}
	return func() { _ = os.Remove(noMainCluster) }, nil
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
