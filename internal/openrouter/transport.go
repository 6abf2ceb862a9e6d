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
	// maxIdleConns is the number of HTTP/1.1 connections that may be kept for reuse.
	maxIdleConns   = 2048
	maxHeaderBytes = 64 << 10
	// writeBuffer is small because a live stream writes nothing after its request.
	writeBuffer = 1 << 10
	// readBuffer is enough for about six chunks, as bufferSize is.
	readBuffer = 2 << 10
	// http2Buffer bounds the unread data of a stream. Go's default is 4 MiB.
	http2Buffer   = 64 << 10
	http2PingWait = 15 * time.Second

	// After a complete answer the rest of the body is read, so that the
	// connection can be reused, but only within these limits.
	drainTime  = 50 * time.Millisecond
	drainBytes = 64 << 10
)

// dialError is the error of a connection that was not established. It does not
// unwrap, since the timeout of a dial would look like that of the context.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }

// newTransport returns a transport without a timeout for the whole response. It does
// not ask for compression, which would delay deltas.
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

// discard reads the rest of a body within the limits, so that its connection can be
// reused, and closes it.
func discard(body io.ReadCloser) {
	timer := time.AfterFunc(drainTime, func() { _ = body.Close() })
	defer timer.Stop()
	_, _ = io.CopyN(io.Discard, body, drainBytes)
	_ = body.Close()
}
