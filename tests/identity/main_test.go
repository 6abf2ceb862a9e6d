// Package identity_test has the server take the tokens of a real identity
// server: a certified OpenID provider in a process of its own, at which
// clients log in as they do anywhere.
package identity_test

import (
	"os"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
