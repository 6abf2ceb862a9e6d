package openrouter

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout         = 10 * time.Second
	tlsHandshakeTimeout = 10 * time.Second
	keepAlive           = 30 * time.Second
	idleConnTimeout     = 60 * time.Second
	// maxIdleConns lets as many HTTP/1.1 streams come back as may run at once.
	maxIdleConns   = 2048
	maxHeaderBytes = 64 << 10
	// writeBuffer is small because a live stream has sent all it will send.
	writeBuffer = 1 << 10
	// readBuffer holds some six usual chunks, as the event reader's does.
	readBuffer = 2 << 10
	// http2Buffer is what a stream may hold of an answer nobody reads; Go's
	// own default is 4 MiB.
	http2Buffer   = 64 << 10
	http2PingWait = 15 * time.Second

	// A finished answer is read to its end, so that its connection can be
	// used again, but only if the end is near.
	drainTime  = 50 * time.Millisecond
	drainBytes = 64 << 10
)

// dialError marks a failure before anything was sent. It does not unwrap: a
// dial that timed out would pass for a context that did.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }

// newTransport returns a transport without a time-out for a whole answer. It asks
// for no compression, which would hold deltas back.
func newTransport(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Transport {
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext
	}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, &dialError{err}
			}
			return conn, nil
		},
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    tlsHandshakeTimeout,
		MaxIdleConnsPerHost:    maxIdleConns,
		IdleConnTimeout:        idleConnTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true,
		WriteBufferSize:        writeBuffer,
		ReadBufferSize:         readBuffer,
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream: http2Buffer,
			SendPingTimeout:           keepAlive,
			PingTimeout:               http2PingWait,
		},
	}
}

// discard reads what little is left of a body, so that its connection can be
// used again, and closes it.
func discard(body io.ReadCloser) {
	timer := time.AfterFunc(drainTime, func() { _ = body.Close() })
	defer timer.Stop()
	_, _ = io.CopyN(io.Discard, body, drainBytes)
	_ = body.Close()
}
