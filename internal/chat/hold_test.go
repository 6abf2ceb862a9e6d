package chat

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// What does not fit waits until there is room, in turn.
func TestHoldWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		files := newFileHold(100, time.Minute)
		release, err := files.hold(t.Context(), 60)
		if err != nil {
			t.Fatal(err)
		}
		taken := make(chan int64, 2)
		take := func(size int64) {
			release, err := files.hold(t.Context(), size)
			if err != nil {
				t.Error(size, err)
				return
			}
			taken <- size
			release()
		}
		go take(60)
		synctest.Wait()
		go take(10) // It would fit, but not before its turn.
		synctest.Wait()
		if len(taken) != 0 {
			t.Fatal("there was no waiting")
		}
		time.Sleep(59 * time.Second) // of the bubble's time
		release()
		synctest.Wait()
		if len(taken) != 2 {
			t.Errorf("%d went on", len(taken))
		}
	})
}

// Who waited in vain is told so, and when to come again; who left is not.
func TestHoldEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		files := newFileHold(100, time.Minute)
		release, err := files.hold(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = files.hold(t.Context(), 1)
		if busy, ok := errors.AsType[*Error](err); !ok || busy.Code != CodeServiceUnavailable || busy.RetryAfter == 0 {
			t.Errorf("the error is %v", err)
		}
		if waited := time.Since(began); waited != time.Minute {
			t.Errorf("it waited %s", waited)
		}
		left, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		if _, err := files.hold(left, 1); !errors.Is(err, context.DeadlineExceeded) || CodeOf(err) != "" {
			t.Errorf("who left is told %v", err)
		}
		release()
		if _, err := files.hold(t.Context(), 100); err != nil {
			t.Errorf("with all of it free: %v", err)
		}
	})
}
