package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chatkit-rest/chatkit-rest/tests/postgres"
)

// killedVariable makes this binary a program that starts a server and waits to
// be killed.
const killedVariable = "CHATKIT_REST_TEST_KILLED"

func TestMain(m *testing.M) {
	// These tests are about throw-away servers only.
	if err := os.Unsetenv(postgres.AdminURLVariable); err != nil {
		panic(err)
	}
	if os.Getenv(killedVariable) != "" {
		startAndWait()
		return
	}
	os.Exit(m.Run())
}

func startAndWait() {
	server, err := postgres.Start(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, _ = fmt.Fprintln(os.Stdout, server.AdminURL())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func value(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	var v string
	if err := conn.QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func TestServer(t *testing.T) {
	t.Parallel()
	server, err := postgres.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, second := newDatabase(t, server), newDatabase(t, server)
	if first == second {
		t.Fatalf("two databases have the same URL")
	}
	conn := connect(t, first)
	if _, err := conn.Exec(t.Context(), "CREATE TABLE only_here (n integer)"); err != nil {
		t.Fatal(err)
	}
	other := connect(t, second)
	if got := value(t, other, "SELECT count(*)::text FROM pg_tables WHERE schemaname = 'public'"); got != "0" {
		t.Errorf("a new database has %s tables, want none", got)
	}
	for name, want := range map[string]string{
		"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on",
		"max_connections": "200", "server_encoding": "UTF8", "listen_addresses": "127.0.0.1",
	} {
		if got := value(t, conn, "SHOW "+name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	folder := value(t, conn, "SHOW data_directory")
	if err := server.Stop(); err != nil {
		t.Fatalf("stop: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(folder)); !os.IsNotExist(err) {
		t.Errorf("the cluster's folder is still there: %v", err)
	}
	if _, err := pgx.Connect(t.Context(), first); err == nil {
		t.Error("the server still answers after Stop")
	}
}

func newDatabase(t *testing.T, server *postgres.Server) string {
	t.Helper()
	url, err := server.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

func TestDurableServer(t *testing.T) {
	t.Parallel()
	server, err := postgres.Start(t.Context(), postgres.Durable())
	if err != nil {
		t.Fatal(err)
	}
	conn := connect(t, server.AdminURL())
	if got := value(t, conn, "SHOW fsync"); got != "on" {
		t.Errorf("fsync is %q, want on", got)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
}

// The server of AdminURLVariable is used and left as it was.
func TestGivenServer(t *testing.T) {
	given, err := postgres.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer given.Stop() //nolint:errcheck // TestServer tests it
	t.Setenv(postgres.AdminURLVariable, given.AdminURL())
	server, err := postgres.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	database, err := url.Parse(newDatabase(t, server))
	if err != nil {
		t.Fatal(err)
	}
	admin := connect(t, given.AdminURL())
	count := "SELECT count(*)::text FROM pg_database WHERE datname = '" + strings.TrimPrefix(database.Path, "/") + "'"
	if got := value(t, admin, count); got != "1" {
		t.Errorf("the given server has %s such databases, want 1", got)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := value(t, admin, count); got != "0" {
		t.Errorf("the given server has %s such databases after Stop, want 0", got)
	}
}

func TestKilledTestLeavesNothing(t *testing.T) {
	t.Parallel()
	program := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very binary
	program.Env = append(os.Environ(), killedVariable+"=1")
	stdin, err := program.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	adminURL, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	conn := connect(t, strings.TrimSpace(adminURL))
	folder := filepath.Dir(value(t, conn, "SHOW data_directory"))
	if err := program.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = program.Wait() // It was killed.

	deadline := time.Now().Add(10 * time.Second)
	for {
		again, err := pgx.Connect(t.Context(), strings.TrimSpace(adminURL))
		if err != nil {
			break
		}
		_ = again.Close(t.Context())
		if time.Now().After(deadline) {
			t.Fatal("postgres outlives the test that started it")
		}
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(folder, old, old); err != nil {
		t.Fatal(err)
	}
	server, err := postgres.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop() //nolint:errcheck // TestServer tests it
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the next start leaves the killed one's folder: %v", err)
	}
}
