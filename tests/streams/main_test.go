// Package streams_test tests runs of the built server under faults: faults of the
// upstream, killed servers, clients that disconnect or do not read, a shutdown,
// and many streams at once.
package streams_test

import (
	"os"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// Many of these tests wait for a time-out of the server, so more of them run at
// once than there are processors.
const parallel = 16

func TestMain(m *testing.M) { os.Exit(harness.MainParallel(m, parallel)) }
