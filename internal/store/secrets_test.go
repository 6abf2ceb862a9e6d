package store_test

import (
	"sync"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/store"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database/databasetest"
)

// Replicas that start at once agree on one value.
func TestSecret(t *testing.T) {
	t.Parallel()
	for _, d := range databasetest.Kinds() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			c := d.Config(t)
			stores := []*store.Store{open(t, c), store.New(databasetest.Open(t, c)), store.New(databasetest.Open(t, c))}
			var (
				mu     sync.Mutex
				values = map[string]bool{}
				all    sync.WaitGroup
			)
			for n := range 12 {
				all.Go(func() {
					value, err := stores[n%len(stores)].Secret(t.Context(), "one")
					if err != nil || len(value) < 26 {
						t.Errorf("a value of %d characters, %v", len(value), err)
					}
					mu.Lock()
					defer mu.Unlock()
					values[value] = true
				})
			}
			all.Wait()
			if len(values) != 1 {
				t.Errorf("there are %d values, want one", len(values))
			}
			other, err := stores[0].Secret(t.Context(), "two")
			if err != nil || values[other] {
				t.Errorf("another name has the same value, or %v", err)
			}
		})
	}
}
