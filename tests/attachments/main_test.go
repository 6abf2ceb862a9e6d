// Package attachments_test holds the running server to what it promises of
// files: on both databases, on the disk and in an S3-compatible store.
package attachments_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// Most tests wait for the server, so more of them run at once than there are
// processors.
const parallel = "8"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", parallel); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(harness.Main(m))
}

// onEach runs a test with each database over each place for files.
func onEach(t *testing.T, env map[string]string, test func(t *testing.T, server *harness.Server, place place)) {
	t.Helper()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		for name, open := range map[string]func(*testing.T) place{"disk": newDisk, "S3": newS3} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				place := open(t)
				settings := place.settings()
				maps.Copy(settings, env)
				test(t, harness.Start(t, harness.Options{Database: database, Env: settings}), place)
			})
		}
	})
}
