// Package attachments_test tests attachments of a running server, on both
// databases, in a folder and in an S3-compatible store.
package attachments_test

import (
	"maps"
	"os"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// Tests mostly wait for the server, so more run at once than there are
// processors.
const parallel = 8

func TestMain(m *testing.M) { os.Exit(harness.MainParallel(m, parallel)) }

// onEach runs a test with each database and each file store.
func onEach(t *testing.T, env map[string]string, test func(t *testing.T, server *harness.Server, store fileStore)) {
	t.Helper()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		for name, open := range map[string]func(*testing.T) fileStore{"disk": newDisk, "S3": newS3} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				store := open(t)
				settings := store.settings()
				maps.Copy(settings, env)
				test(t, harness.Start(t, harness.Options{Database: database, Env: settings}), store)
			})
		}
	})
}
