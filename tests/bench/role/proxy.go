package role

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

// UpstreamVariable is the environment variable with the URL of the proxy's
// upstream.
const UpstreamVariable = "BENCH_UPSTREAM"

// ServeProxy runs a reverse proxy to the upstream.
func ServeProxy(ctx context.Context, stdout io.Writer) error {
	target, err := url.Parse(os.Getenv(UpstreamVariable))
	if err != nil || target.Host == "" {
		return errors.New(UpstreamVariable + " is not the URL of the upstream")
	}
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return fmt.Errorf("the default transport is a %T", http.DefaultTransport)
	}
	transport = transport.Clone()
	// By default a transport keeps two idle connections and would dial for most
	// requests.
	transport.MaxIdleConnsPerHost, transport.MaxIdleConns = 2048, 2048
	transport.DisableCompression = true
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1,
		Transport:     transport,
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Without full duplex an answer that begins before the request's body
		// has ended may be cut.
		_ = http.NewResponseController(w).EnableFullDuplex() // HTTP/1.1 supports it
		proxy.ServeHTTP(w, r)
	})
	return serveHTTP(ctx, handler, stdout)
}
