// Package protocol_test tests the ChatKit protocol over HTTP: refusals, threads
// that both APIs use, and stopped runs. The package tests/chatkit compares
// successful answers with the reference implementation.
package protocol_test

import (
	"os"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
