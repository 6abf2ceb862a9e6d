package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/postgres"
)

// Without PostgreSQL and a way to install it, tests fail with an error that says
// what to install. None is skipped.
func TestNotInstalled(t *testing.T) {
	t.Cleanup(postgres.SearchPathOnly())
	t.Setenv("PATH", t.TempDir()) // not even apt-get

	_, err := postgres.Start(t.Context())
	if !errors.Is(err, postgres.ErrNotInstalled) {
		t.Fatalf("got error %v", err)
	}
	for _, advice := range []string{"apt-get install postgresql", postgres.AdminURLVariable} {
		if !strings.Contains(err.Error(), advice) {
			t.Errorf("the error does not say %q: %v", advice, err)
		}
	}

	code := postgres.Main(ranTests{t}, func(*postgres.Server) { t.Error("there is a server") })
	if code != 1 {
		t.Errorf("the exit code is %d, want 1", code)
	}
}

// ranTests are tests that must not run.
type ranTests struct{ t *testing.T }

func (r ranTests) Run() int {
	r.t.Error("the tests ran")
	return 0
}
