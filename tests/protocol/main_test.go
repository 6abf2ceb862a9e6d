// Package protocol_test tries the ChatKit protocol's door from outside: what
// it refuses, what both doors share, and how a run is stopped. What it answers
// when all is well, tests/chatkit holds to the reference.
package protocol_test

import (
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
