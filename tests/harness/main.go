package harness

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/postgres"
)

// Timeouts of the steps that a test process does once.
const (
	buildTimeout    = 5 * time.Minute
	databaseTimeout = 2 * time.Minute
)

// errNoMain reports a test package without its TestMain.
var errNoMain = errors.New("the package needs func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }")

// sharedResources are what the tests of a process share: the built programs and
// the PostgreSQL server. Each is created on first use.
type sharedResources struct {
	folder string

	buildMu  sync.Mutex
	programs map[string]program // by package

	databaseOnce sync.Once
	database     *postgres.Server
	databaseErr  error
}

// program is a built program or its build error.
type program struct {
	path string
	err  error
}

var shared sharedResources // closed by Main

// Main runs the tests, then removes the built program and stops the PostgreSQL
// server if a test started it. It returns the exit code for os.Exit.
func Main(m *testing.M) int {
	folder, err := os.MkdirTemp("", "chatkit-rest-harness-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	shared.folder = folder
	code := m.Run()
	if err := shared.close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// MainParallel is Main for tests that mostly wait. It runs up to the given number
// of them in parallel instead of one for each processor.
func MainParallel(m *testing.M, tests int) int {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(tests)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return Main(m)
}

func (r *sharedResources) close() error {
	var stopErr error
	if r.database != nil {
		stopErr = r.database.Stop()
	}
	return errors.Join(stopErr, os.RemoveAll(r.folder))
}

// Binary builds the program once for the test process and returns its path.
func Binary(tb testing.TB) string {
	tb.Helper()
	return Program(tb, "cmd/chatkit-rest")
}

// Program builds a program of this repository, named by its folder, once for
// the test process and returns its path.
func Program(tb testing.TB, folder string) string {
	tb.Helper()
	shared.buildMu.Lock()
	defer shared.buildMu.Unlock()
	built, ok := shared.programs[folder]
	if !ok {
		built.path, built.err = shared.build(folder)
		if shared.programs == nil {
			shared.programs = make(map[string]program)
		}
		shared.programs[folder] = built
	}
	if built.err != nil {
		tb.Fatal(built.err)
	}
	return built.path
}

func (r *sharedResources) build(folder string) (string, error) {
	if r.folder == "" {
		return "", errNoMain
	}
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	// The binary keeps its name because the guides' commands use it.
	path := filepath.Join(r.folder, strings.ReplaceAll(folder, "/", "-"), filepath.Base(folder))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("create a folder for %s: %w", folder, err)
	}
	args := []string{"build", "-o", path}
	if raceDetector {
		args = append(args, "-race")
	}
	args = append(args, "github.com/chatkit-rest/chatkit-rest/"+folder)
	out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput() //nolint:gosec // constant arguments
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return path, nil
}

// newPostgresDatabase creates an empty database and returns its URL.
func newPostgresDatabase(tb testing.TB) string {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), databaseTimeout)
	defer cancel()
	shared.databaseOnce.Do(func() {
		if shared.folder == "" {
			shared.databaseErr = errNoMain
			return
		}
		shared.database, shared.databaseErr = postgres.Start(ctx)
	})
	if shared.databaseErr != nil {
		tb.Fatal(shared.databaseErr)
	}
	url, err := shared.database.NewDatabase(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	return url
}
