package harness

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Proxy is a TCP proxy between the server and its PostgreSQL. With it a test
// makes the database unreachable and reachable again.
type Proxy struct {
	// DatabaseURL is the URL of the database through the proxy.
	DatabaseURL string

	target   string
	listener net.Listener
	served   sync.WaitGroup

	mu   sync.Mutex
	down bool
	open map[net.Conn]bool
}

// NewProxy starts a proxy for the database of the URL.
func NewProxy(tb testing.TB, databaseURL string) *Proxy {
	tb.Helper()
	target, err := url.Parse(databaseURL)
	if err != nil {
		tb.Fatal("the database's URL cannot be read") // The URL may contain a password.
	}
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{target: target.Host, listener: listener, open: make(map[net.Conn]bool)}
	target.Host = listener.Addr().String()
	p.DatabaseURL = target.String()
	p.served.Go(p.accept)
	tb.Cleanup(func() {
		_ = listener.Close() // The test has ended.
		p.Cut()
		p.served.Wait()
	})
	return p
}

// Cut closes every connection and refuses new ones until Mend.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for conn := range p.open {
		_ = conn.Close() // The error does not matter.
	}
}

// Mend accepts connections again.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			p.served.Go(func() { p.relay(client) })
		}
	}
}

// keep records a connection. It returns false if the proxy is cut.
func (p *Proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.down {
		p.open[conn] = true
	}
	return !p.down
}

func (p *Proxy) drop(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
	_ = conn.Close() // The connection may be closed already.
}

func (p *Proxy) relay(client net.Conn) {
	defer p.drop(client)
	if !p.keep(client) {
		return
	}
	var dialer net.Dialer
	server, err := dialer.DialContext(context.Background(), "tcp", p.target)
	if err != nil {
		return
	}
	defer p.drop(server)
	if !p.keep(server) {
		return
	}
	ended := make(chan struct{}, 2) // one for each direction
	pipe := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // Any error ends the copy.
		ended <- struct{}{}
	}
	go pipe(server, client)
	go pipe(client, server)
	<-ended
}
