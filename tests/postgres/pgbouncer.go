package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/chatkit-rest/chatkit-rest/tests/child"
)

// PoolMode is PgBouncer's pool_mode.
type PoolMode string

// PgBouncer's pool modes.
const (
	TransactionMode PoolMode = "transaction"
	SessionMode     PoolMode = "session"
)

// poolSize is how many connections to PostgreSQL PgBouncer opens for a database:
// far fewer than a test has clients.
const poolSize = 5

// StartPgBouncer starts a PgBouncer in front of the database of a URL, on a
// free port of the loopback interface, and returns the database's URL there.
// PgBouncer stops when the test ends. The test fails if PgBouncer is not
// installed and this process may not install it.
func StartPgBouncer(tb testing.TB, databaseURL string, mode PoolMode) string {
	tb.Helper()
	program, err := findPgBouncer(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	database, err := url.Parse(databaseURL)
	if err != nil {
		tb.Fatal("the database's URL cannot be read")
	}
	for range ports {
		var pooled string
		if pooled, err = startPgBouncer(tb, program, database, mode); err == nil {
			return pooled
		}
	}
	tb.Fatal(err)
	return ""
}

func startPgBouncer(tb testing.TB, program string, database *url.URL, mode PoolMode) (string, error) {
	tb.Helper()
	owner, err := unprivilegedUser() // PgBouncer refuses root, as PostgreSQL does.
	if err != nil {
		return "", err
	}
	port, err := child.FreePort(tb.Context())
	if err != nil {
		return "", err
	}
	file, err := writePgBouncerConfig(tb, database, port, mode, owner)
	if err != nil {
		return "", err
	}
	log := &child.Tail{}
	cmd := exec.Command(program, file) //nolint:gosec,noctx // the distribution's program; its life is the test's
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", log, log
	cmd.SysProcAttr = childAttributes(owner)
	running, err := startProcess(cmd)
	if err != nil {
		return "", fmt.Errorf("start pgbouncer: %w", err)
	}
	tb.Cleanup(func() {
		if err := running.stop(syscall.SIGTERM); err != nil {
			tb.Error(err)
		}
	})
	pooled := *database
	pooled.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	pooled.RawQuery = "sslmode=disable"
	return pooled.String(), awaitPgBouncer(tb.Context(), running, log, pooled.String())
}

// writePgBouncerConfig writes PgBouncer's configuration into a folder that its
// user can read. Any client may log in: PgBouncer has PostgreSQL's password.
func writePgBouncerConfig(tb testing.TB, database *url.URL, port int, mode PoolMode, owner *account) (string, error) {
	tb.Helper()
	folder, err := os.MkdirTemp("", "chatkit-rest-pgbouncer-") //nolint:usetesting // only this user can enter the test's own folder
	if err != nil {
		return "", fmt.Errorf("make a folder for pgbouncer: %w", err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(folder) })
	password, _ := database.User.Password()
	lines := []string{
		"[databases]",
		fmt.Sprintf("* = host=%s port=%s user=%s password=%s", database.Hostname(), database.Port(), database.User.Username(), password),
		"[pgbouncer]", "listen_addr = 127.0.0.1", "listen_port = " + strconv.Itoa(port), "unix_socket_dir =",
		"auth_type = any", "pool_mode = " + string(mode), "default_pool_size = " + strconv.Itoa(poolSize), "max_client_conn = 200", "",
	}
	file := filepath.Join(folder, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil { //nolint:gosec // a folder of this test
		return "", fmt.Errorf("write pgbouncer's file: %w", err)
	}
	if owner == nil {
		return file, nil
	}
	return file, errors.Join(os.Chown(folder, owner.uid, owner.gid), os.Chown(file, owner.uid, owner.gid))
}

// awaitPgBouncer waits until the pooler's database answers.
func awaitPgBouncer(ctx context.Context, running *process, log *child.Tail, pooledURL string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		conn, err := pgconn.Connect(ctx, pooledURL)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-running.exited:
			return fmt.Errorf("pgbouncer ended at its start: %s", log)
		case <-ctx.Done():
			return fmt.Errorf("pgbouncer does not answer within %s: %w: %s", startTimeout, err, log)
		case <-poll.C:
		}
	}
}
