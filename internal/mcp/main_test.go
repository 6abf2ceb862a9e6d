package mcp

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestMain looks, after all toolboxes are closed, for what they left running.
func TestMain(m *testing.M) {
	code := harness.Main(m)
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}
