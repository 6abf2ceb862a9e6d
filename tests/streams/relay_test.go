package streams_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// relay forwards connections of the server. It counts them, and can close and
// refuse them.
type relay struct {
	// URL is the target, through the relay.
	URL string

	target  string
	serving sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]struct{} // of the server
	total    int
}

// newRelay forwards to the host of the URL.
func newRelay(t *testing.T, target string) *relay {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{target: u.Host, conns: make(map[net.Conn]struct{})}
	r.listen(t, ownAddress())
	u.Host = r.listener.Addr().String()
	r.URL = u.String()
	t.Cleanup(func() {
		r.cut()
		r.serving.Wait()
	})
	return r
}

// relays counts the relays, so that each has a loopback address of its own: while
// one is cut, its port stays free.
var relays atomic.Uint32

func ownAddress() string {
	n := relays.Add(1)
	return fmt.Sprintf("127.0.%d.%d:0", 1+n/250, 1+n%250)
}

func (r *relay) listen(t *testing.T, address string) {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listener = listener
	r.serving.Go(func() { r.serve(listener) })
}

// cut ends all connections and refuses further ones.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.listener.Close() // It may be closed already.
	for conn := range r.conns {
		_ = conn.Close() // Either side may have closed it.
	}
}

// mend accepts connections again.
func (r *relay) mend(t *testing.T) {
	t.Helper()
	r.listen(t, r.listener.Addr().String())
}

// opened returns how many connections the server has opened so far.
func (r *relay) opened() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}

// open returns how many connections are open.
func (r *relay) open() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.conns)
}

func (r *relay) serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		r.total++
		r.conns[conn] = struct{}{}
		r.mu.Unlock()
		r.serving.Go(func() {
			r.pass(conn)
			r.mu.Lock()
			defer r.mu.Unlock()
			delete(r.conns, conn)
		})
	}
}

// pass copies both ways until either side ends.
func (r *relay) pass(near net.Conn) {
	defer near.Close() // Either side may have closed it.
	far, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", r.target)
	if err != nil {
		return
	}
	defer far.Close() // Either side may have closed it.
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(way[0], way[1]) // An end is an end.
			ended <- struct{}{}
		}()
	}
	<-ended
}
