package ratelimit_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := leaked(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines outlived the tests:", err)
		code = 1
	}
	os.Exit(code)
}

// leaked looks for some two seconds: a pool of go-redis that failed to dial often
// asks only each second whether it has been closed.
func leaked() error {
	var err error
	for range 5 {
		if err = goleak.Find(); err == nil {
			return nil
		}
	}
	return err
}
