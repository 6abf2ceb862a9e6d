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

// Proxy is a TCP proxy between the server and its PostgreSQL, with which a test
// makes the database unreachable and reachable again.
type Proxy struct {
	// DatabaseURL is the URL of the database through the proxy.
	DatabaseURL string

	target   string
	listener net.Listener
	running  sync.WaitGroup

	mu           sync.Mutex
	disconnected bool
	open         map[net.Conn]bool
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
	p.running.Go(p.accept)
	tb.Cleanup(func() {
		_ = listener.Close() // The test has ended.
		p.Disconnect()
		p.running.Wait()
	})
	return p
}

// Disconnect closes every connection and refuses new ones until Reconnect.
func (p *Proxy) Disconnect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.disconnected = true
	for conn := range p.open {
		_ = conn.Close() // The error does not matter.
	}
}

// Reconnect accepts connections again.
func (p *Proxy) Reconnect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.disconnected = false
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			p.running.Go(func() { p.relay(client) })
		}
	}
}

// add records a connection. It returns false if the proxy is disconnected.
func (p *Proxy) add(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.disconnected {
		p.open[conn] = true
	}
	return !p.disconnected
}

func (p *Proxy) remove(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
	_ = conn.Close() // The connection may be closed already.
}

func (p *Proxy) relay(client net.Conn) {
	defer p.remove(client)
	if !p.add(client) {
		return
	}
	var dialer net.Dialer
	server, err := dialer.DialContext(context.Background(), "tcp", p.target)
	if err != nil {
		return
	}
	defer p.remove(server)
	if !p.add(server) {
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
