//go:build schemathesis

package schemathesis_test

import (
	"os"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
