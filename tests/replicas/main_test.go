// Package replicas_test runs several servers as one service, with a real
// Redis between them.
package replicas_test

import (
	"os"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
