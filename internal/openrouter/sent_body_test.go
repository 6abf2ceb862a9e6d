package openrouter_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// TestSentBodyIsReleased checks that a live answer does not keep its request's history
// in memory.
func TestSentBodyIsReleased(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	release := sync.OnceFunc(func() { close(hold) })
	defer release()
	server := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		send(t, w, textEvent)
		<-hold
		send(t, w, stopEvent+doneEvent)
	})
	const size = 32 << 20
	before := heap()
	stream, err := client(t, server.URL).Stream(t.Context(), chat.ModelRequest{
		Messages: []chat.Message{{Role: chat.RoleUser, Content: strings.Repeat("x", size)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); heap() > before+size/2; {
		if time.Now().After(deadline) {
			t.Fatalf("%d MiB are held for a history of %d MiB", (heap()-before)>>20, size>>20)
		}
	}
	release()
	read(t, stream)
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
