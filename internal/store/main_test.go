package store_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/chatkit-rest/chatkit-rest/tests/postgres"
)

// server is the PostgreSQL of this package's tests.
var server *postgres.Server

func TestMain(m *testing.M) {
	os.Exit(postgres.Main(leakChecked{m}, func(s *postgres.Server) { server = s }))
}

// leakChecked fails when the tests leave goroutines behind.
type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	before := goleak.IgnoreCurrent()
	code := l.m.Run()
	if err := goleak.Find(before); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}
