// Package streams_test holds the built server against what the contract says
// of runs under trouble: upstream's faults, crashes, clients that leave or do
// not read, a stop, and many streams at once.
package streams_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// Many of these tests only wait for a time-out of the server's, so more of
// them run at once than there are processors.
const parallel = "16"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", parallel); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(harness.Main(m))
}
