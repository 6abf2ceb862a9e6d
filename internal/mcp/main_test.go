package mcp

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestMain looks for goroutines that are left after all toolboxes are closed.
// Run with fakeVariable set, the test program is a fake server instead.
func TestMain(m *testing.M) {
	if script := os.Getenv(fakeVariable); script != "" {
		serveFake(script)
		return
	}
	code := harness.Main(m)
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}
