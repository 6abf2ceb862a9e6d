package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// The parts of the bench that are processes of their own, by the argument
// that names them.
const (
	upstreamRole = "upstream"
	proxyRole    = "proxy"
	handlerRole  = "handler"
)

// serveRole serves on a free port of the loopback interface, whose address is
// the first line it prints, until its standard input ends: that is when the
// process that started it is gone.
func serveRole(ctx context.Context, handler http.Handler, stdout io.Writer) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if _, err := fmt.Fprintln(stdout, listener.Addr()); err != nil {
		return fmt.Errorf("tell the address: %w", err)
	}
	orphaned := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // However it ends, it has ended.
		close(orphaned)
	}()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-orphaned:
	case <-ctx.Done():
	}
	if err := server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}
