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

// serveRole serves HTTP: see serveListener.
func serveRole(ctx context.Context, handler http.Handler, stdout io.Writer) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	return serveListener(ctx, stdout, server.Serve, func(net.Listener) error { return server.Close() })
}

// serveListener serves on a free port of the loopback interface, whose address
// is the first line it prints, until its standard input ends, which happens when
// the process that started it exits.
func serveListener(
	ctx context.Context, stdout io.Writer, serve func(net.Listener) error, stop func(net.Listener) error,
) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	served := make(chan error, 1)
	go func() { served <- serve(listener) }()
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
	if err := stop(listener); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}
