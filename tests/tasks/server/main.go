// Command server is a small MCP server for tests. It has tools for a list of tasks,
// and tools that misbehave in ways that a client must handle. It serves stdin and
// stdout, or streamable HTTP with -http.
package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	address := flag.String("http", "", "serve HTTP at this address instead of stdin and stdout")
	stateless := flag.Bool("stateless", false, "keep no sessions over HTTP")
	mute := flag.Bool("mute", false, "send no responses")
	stubborn := flag.Bool("stubborn", false, "ignore the end of stdin and SIGTERM")
	pages := flag.Int("pages", 0, "the number of tools in a page of the list")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *address, *stateless, *mute, *stubborn, *pages); err != nil {
		fmt.Fprintln(os.Stderr, "tasks:", err)
		os.Exit(1) //nolint:gocritic // stop has nothing to do at exit
	}
}

func run(ctx context.Context, address string, stateless, mute, stubborn bool, pages int) error {
	fmt.Fprintln(os.Stderr, "tasks: started; the token is", os.Getenv("TASKS_TOKEN"))
	if mute {
		<-ctx.Done()
		return nil
	}
	server := newServer(pages)
	if address != "" {
		return serveHTTP(ctx, address, server, stateless)
	}
	if stubborn {
		ctx = context.WithoutCancel(ctx)
	}
	err := server.Run(ctx, &mcp.StdioTransport{})
	if stubborn {
		select {} // Only SIGKILL ends this process.
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// serveHTTP serves streamable HTTP. It requires the token in TASKS_TOKEN if that is
// set.
func serveHTTP(ctx context.Context, address string, server *mcp.Server, stateless bool) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server },
		&mcp.StreamableHTTPOptions{Stateless: stateless})
	want := "Bearer " + os.Getenv("TASKS_TOKEN")
	httpServer := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := r.Header.Get("Authorization")
		if want != "Bearer " && subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 0 {
			http.Error(w, "invalid token", http.StatusUnauthorized)
			return
		}
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "http://localhost.localdomain/mcp", http.StatusTemporaryRedirect)
			return
		}
		handler.ServeHTTP(w, r)
	})}
	stop := context.AfterFunc(ctx, func() { _ = httpServer.Close() })
	defer stop()
	if err := httpServer.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
