package main

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

const upstreamVariable = "BENCH_UPSTREAM"

// serveProxy is the least that can stand between a client and the upstream.
func serveProxy(ctx context.Context, stdout io.Writer) error {
	target, err := url.Parse(os.Getenv(upstreamVariable))
	if err != nil || target.Host == "" {
		return errors.New(upstreamVariable + " is not the URL of the upstream")
	}
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return fmt.Errorf("the default transport is a %T", http.DefaultTransport)
	}
	transport = transport.Clone()
	// Its default keeps two connections and would dial for most requests.
	transport.MaxIdleConnsPerHost, transport.MaxIdleConns = 2048, 2048
	transport.DisableCompression = true
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1,
		Transport:     transport,
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Without it an upstream that answers at once races the end of the
		// request's body, and some answers are cut.
		_ = http.NewResponseController(w).EnableFullDuplex() // HTTP/1.1 has it
		proxy.ServeHTTP(w, r)
	})
	return serveRole(ctx, handler, stdout)
}
