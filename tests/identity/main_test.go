// Package identity_test tests the server with the tokens of a real identity
// server, a certified OpenID provider that runs as a process of its own.
package identity_test

import (
	"os"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
