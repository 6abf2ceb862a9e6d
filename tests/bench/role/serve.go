// Package role has the processes that the benchmark starts besides the server:
// the upstream, and the reverse proxy and the bare handler that the server is
// compared with. The benchmark's program runs itself again for each, with the
// role's name as its argument, so that their CPU time and memory are separate.
package role

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

// The names of the roles.
const (
	Upstream = "upstream"
	Proxy    = "proxy"
	Handler  = "handler"
)

// serveHTTP serves HTTP as serveListener does.
func serveHTTP(ctx context.Context, handler http.Handler, stdout io.Writer) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	return serveListener(ctx, stdout, server.Serve, func(net.Listener) error { return server.Close() })
}

// serveListener serves on a free port of the loopback interface and prints the
// address. It stops when ctx is done, or when the standard input ends because
// the parent process has exited.
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
		return fmt.Errorf("print the address: %w", err)
	}
	parentExited := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // An error is an end too.
		close(parentExited)
	}()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-parentExited:
	case <-ctx.Done():
	}
	if err := stop(listener); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}
