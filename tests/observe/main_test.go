// Package observe_test holds what the built server tells of itself: its
// metrics, its traces, and the dashboard and alerts made of them.
package observe_test

import (
	"os"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
