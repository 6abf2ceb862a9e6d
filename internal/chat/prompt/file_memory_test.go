package prompt

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// A run whose files do not fit waits until memory is free, in turn.
func TestFileMemoryServesInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		files := NewFileMemory(100, time.Minute)
		release, err := files.Acquire(t.Context(), 60)
		if err != nil {
			t.Fatal(err)
		}
		acquired := make(chan int64, 2)
		acquire := func(size int64) {
			release, err := files.Acquire(t.Context(), size)
			if err != nil {
				t.Error(size, err)
				return
			}
			acquired <- size
			release()
		}
		go acquire(60)
		synctest.Wait()
		go acquire(10) // It would fit, but not before its turn.
		synctest.Wait()
		if len(acquired) != 0 {
			t.Fatal("a run did not wait for memory")
		}
		time.Sleep(59 * time.Second) // on the test's own clock
		release()
		synctest.Wait()
		if len(acquired) != 2 {
			t.Errorf("%d runs got memory, want 2", len(acquired))
		}
	})
}

// A run that waited too long gets an error that says when to try again; one whose
// context ended gets the context's.
func TestFileMemoryWaitEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		files := NewFileMemory(100, time.Minute)
		release, err := files.Acquire(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = files.Acquire(t.Context(), 1)
		if busy, ok := errors.AsType[*chat.Error](err); !ok || busy.Code != chat.CodeServiceUnavailable || busy.RetryAfter == 0 {
			t.Errorf("the error is %v", err)
		}
		if waited := time.Since(began); waited != time.Minute {
			t.Errorf("it waited %s", waited)
		}
		ended, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := files.Acquire(ended, 1); !errors.Is(err, context.DeadlineExceeded) || chat.CodeOf(err) != "" {
			t.Errorf("the error of a run whose context ended is %v", err)
		}
		release()
		if _, err := files.Acquire(t.Context(), 100); err != nil {
			t.Errorf("with all of it free: %v", err)
		}
	})
}
