// Package observe_test tests the metrics and traces of the built server, and the
// dashboard and alerts that use them.
package observe_test

import (
	"os"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
