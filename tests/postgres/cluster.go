package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chatkit-rest/chatkit-rest/tests/child"
)

const (
	superuser    = "postgres"
	folderPrefix = "chatkit-rest-postgres-"
	// ports is how many free ports are tried: another program may take a port
	// before postgres does.
	ports = 5
)

// cluster is a running postgres process and its folder.
type cluster struct {
	folder   string
	port     int
	password string
	log      *child.Tail
	unlock   func()

	process *process
}

func startCluster(ctx context.Context, p programs, o options) (*cluster, error) {
	removeAbandonedFolders()
	owner, err := unprivilegedUser()
	if err != nil {
		return nil, err
	}
	c := &cluster{password: rand.Text(), log: &child.Tail{}}
	if err := c.makeFolder(owner); err != nil {
		return nil, err
	}
	if err := c.initialize(ctx, p, owner); err != nil {
		return nil, errors.Join(err, c.remove())
	}
	for range ports {
		if err = c.run(ctx, p, o, owner); err == nil {
			return c, nil
		}
	}
	return nil, errors.Join(err, c.remove())
}

func (c *cluster) dataFolder() string { return filepath.Join(c.folder, "data") }

func (c *cluster) url(database string) string {
	u := url.URL{
		Scheme: "postgresql", User: url.UserPassword(superuser, c.password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)), Path: "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// makeFolder makes the cluster's folder and keeps it locked, so that other test
// processes do not remove it as abandoned.
func (c *cluster) makeFolder(owner *account) error {
	folder, err := os.MkdirTemp("", folderPrefix)
	if err != nil {
		return fmt.Errorf("make a folder for the cluster: %w", err)
	}
	c.folder = folder
	c.unlock, err = lockFile(filepath.Join(folder, lockName))
	if err == nil && owner != nil {
		err = os.Chown(folder, owner.uid, owner.gid)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("prepare the cluster's folder: %w", err), c.remove())
	}
	return nil
}

func (c *cluster) initialize(ctx context.Context, p programs, owner *account) error {
	passwordFile := filepath.Join(c.folder, "password")
	if err := os.WriteFile(passwordFile, []byte(c.password), 0o600); err != nil {
		return fmt.Errorf("write the cluster's password: %w", err)
	}
	if owner != nil {
		if err := os.Chown(passwordFile, owner.uid, owner.gid); err != nil {
			return fmt.Errorf("hand over the cluster's password: %w", err)
		}
	}
	cmd := exec.CommandContext(ctx, p.initdb, //nolint:gosec // the distribution's initdb
		"--pgdata="+c.dataFolder(), "--username="+superuser, "--pwfile="+passwordFile,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	c.prepare(cmd, owner)
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(output))
	}
	return nil
}

// prepare sets the account and the working directory of a command.
func (c *cluster) prepare(cmd *exec.Cmd, owner *account) {
	cmd.Dir = c.folder
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	cmd.SysProcAttr = childAttributes(owner)
}

// run starts postgres on a free port and waits until it answers.
func (c *cluster) run(ctx context.Context, p programs, o options, owner *account) error {
	port, err := child.FreePort(ctx)
	if err != nil {
		return err
	}
	c.port = port
	settings := map[string]string{
		"port": strconv.Itoa(port), "listen_addresses": "127.0.0.1", "unix_socket_directories": "",
		"max_connections": "200", "shared_buffers": "128MB", "log_min_messages": "warning",
	}
	if !o.durable {
		settings["fsync"], settings["full_page_writes"] = "off", "off"
	}
	args := []string{"-D", c.dataFolder()}
	for name, value := range settings {
		args = append(args, "-c", name+"="+value)
	}
	// It runs until Stop or the end of this process, not until the context ends.
	cmd := exec.Command(p.postgres, args...) //nolint:gosec,noctx // the distribution's postgres
	c.prepare(cmd, owner)
	cmd.Stdout, cmd.Stderr = c.log, c.log
	c.process, err = startProcess(cmd)
	if err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	if err := c.waitReady(ctx); err != nil {
		return errors.Join(err, c.shutdown())
	}
	return nil
}

func (c *cluster) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		conn, err := pgx.Connect(ctx, c.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-c.process.exited:
			return fmt.Errorf("postgres ended at its start: %s", c.log)
		case <-ctx.Done():
			return fmt.Errorf("postgres does not answer within %s: %w: %s", startTimeout, err, c.log)
		case <-poll.C:
		}
	}
}

// shutdown ends the process at once and discards its data.
func (c *cluster) shutdown() error {
	// SIGQUIT is PostgreSQL's immediate shutdown. It ends its children too.
	return c.process.stop(syscall.SIGQUIT)
}

func (c *cluster) stop() error { return errors.Join(c.shutdown(), c.remove()) }

func (c *cluster) remove() error {
	if c.unlock != nil {
		defer c.unlock()
	}
	if err := os.RemoveAll(c.folder); err != nil {
		return fmt.Errorf("remove the cluster's folder: %w", err)
	}
	return nil
}
