//go:build deploy

package deploy_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestImage runs the image as a demo with no other setting, in a network of its
// own, and checks that it listens on all addresses and that its health check
// succeeds.
func TestImage(t *testing.T) {
	t.Parallel()
	i := theImage(t)
	c := i.start(t, ownNetwork, nil, append(i.command, "--demo")...)
	if i.env["HOST"] != "0.0.0.0" {
		t.Errorf("the image listens on %s", i.env["HOST"])
	}
	var said string
	harness.Eventually(t, patience, "the health check passes", func() bool {
		var code int
		code, said = c.exec(i.healthcheck...)
		return code == 0
	})
	if said != "healthy\n" {
		t.Errorf("the health check prints %q", said)
	}
	if code, said := c.exec(append(i.healthcheck, "--ready")...); code != 0 {
		t.Errorf("the server is not ready: %s", said)
	}
	if code, said := c.exec(i.entrypoint[0], "version"); code != 0 || said != "chatkit-rest "+imageVersion+"\n" {
		t.Errorf("its version is %q", said)
	}
	for field, want := range map[string]string{
		"Uid": "65532 65532 65532 65532", "CapEff": "0000000000000000", "CapBnd": "0000000000000000", "NoNewPrivs": "1",
	} {
		if got := c.status(field); got != want {
			t.Errorf("%s is %s, want %s", field, got, want)
		}
	}
	if ids := strings.Fields(c.status("NSpid")); len(ids) == 0 || ids[len(ids)-1] != "1" {
		t.Errorf("the server is not PID 1 of the container: %v", ids)
	}
	if code := c.stop(patience); code != 0 {
		t.Errorf("the exit code after SIGTERM is %d", code)
	}
	if _, err := os.Stat(filepath.Join(c.data, "chatkit.db")); err != nil {
		t.Errorf("the database is not in the volume: %v", err)
	}
}

// TestImageIsUnhealthy checks that the health check fails if no server runs.
func TestImageIsUnhealthy(t *testing.T) {
	t.Parallel()
	i := theImage(t)
	c := i.start(t, ownNetwork, nil, i.healthcheck[1:]...)
	if code := c.wait(patience); code != 1 || !strings.Contains(c.log.String(), "refused") {
		t.Errorf("exit code %d, %s", code, c.log.String())
	}
}

// TestImageFiles checks that the image has a static binary, certificates
// and the volume, and nothing else.
func TestImageFiles(t *testing.T) {
	t.Parallel()
	i := theImage(t)
	var files []string
	err := filepath.WalkDir(i.root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, strings.TrimPrefix(path, i.root))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"/chatkit-rest", "/etc/ssl/certs/ca-certificates.crt"}; !slices.Equal(files, want) {
		t.Errorf("the image has %q, want %q", files, want)
	}
	binary, err := elf.Open(filepath.Join(i.root, "chatkit-rest"))
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close() //nolint:errcheck // it was only read
	libraries, err := binary.ImportedLibraries()
	if err != nil || len(libraries) > 0 {
		t.Errorf("the binary needs %q (%v)", libraries, err)
	}
	for _, program := range binary.Progs {
		if program.Type == elf.PT_INTERP {
			t.Error("the binary needs a loader")
		}
	}
}

// TestBuildContextHasNoIgnoredFile checks that no file that git ignores is in the build
// context.
func TestBuildContextHasNoIgnoredFile(t *testing.T) {
	t.Parallel()
	_ = theImage(t)
	for _, name := range []string{".env", ".git", "data", "bin", "tests", "deploy", "docs"} {
		if _, err := os.Stat(filepath.Join(shared, "context", name)); !os.IsNotExist(err) {
			t.Errorf("%s is in the build's context", name)
		}
	}
}
