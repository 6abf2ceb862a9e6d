// Package loadclient is an HTTP client for load tests. It does as little as
// possible, so that the client takes little CPU time from the server under test.
package loadclient

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"time"
)

// Client sends HTTP requests, encoded beforehand, on one kept-alive connection.
type Client struct {
	conn net.Conn
	in   *bufio.Reader
}

// BufferSize is the size of the buffers to read bodies with.
const BufferSize = 16 << 10

// Dial connects to an address.
func Dial(ctx context.Context, address string) (*Client, error) {
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &Client{conn: conn, in: bufio.NewReaderSize(conn, BufferSize)}, nil
}

// DialAll opens n connections to an address.
func DialAll(ctx context.Context, address string, n int) ([]*Client, error) {
	clients := make([]*Client, 0, n)
	for range n {
		c, err := Dial(ctx, address)
		if err != nil {
			CloseAll(clients)
			return nil, err
		}
		clients = append(clients, c)
	}
	return clients, nil
}

// CloseAll closes the connections.
func CloseAll(clients []*Client) {
	for _, c := range clients {
		c.Close()
	}
}

// Close closes the connection.
func (c *Client) Close() { _ = c.conn.Close() }

// SetReceiveBuffer sets the size of the connection's receive buffer.
func (c *Client) SetReceiveBuffer(size int) error {
	tcp, ok := c.conn.(*net.TCPConn)
	if !ok {
		return fmt.Errorf("the connection is a %T, not TCP", c.conn)
	}
	return tcp.SetReadBuffer(size)
}

// Send sends a request and does not read its answer.
func (c *Client) Send(request []byte) error {
	if _, err := c.conn.Write(request); err != nil {
		return fmt.Errorf("send a request: %w", err)
	}
	return nil
}

// Discard reads and discards data until the connection is closed.
func (c *Client) Discard() { _, _ = io.Copy(io.Discard, c.conn) }

// Do sends a request and returns the body of its answer. The caller must read
// the body to its end before the next request. A status other than 200 is an
// error.
func (c *Client) Do(request []byte) (io.Reader, error) {
	if err := c.Send(request); err != nil {
		return nil, err
	}
	status, body, err := c.readHead()
	if err != nil {
		return nil, fmt.Errorf("read an answer: %w", err)
	}
	if status != 200 {
		text, _ := io.ReadAll(io.LimitReader(body, 1<<10))
		return nil, fmt.Errorf("status %d: %s", status, text)
	}
	return body, nil
}

func (c *Client) readHead() (status int, body io.Reader, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < len("HTTP/1.1 200") {
		return 0, nil, fmt.Errorf("the answer begins with %q", line)
	}
	status, err = strconv.Atoi(string(line[len("HTTP/1.1 "):len("HTTP/1.1 200")]))
	if err != nil {
		return 0, nil, err
	}
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			length, err := strconv.ParseInt(string(value), 10, 64)
			if err != nil {
				return 0, nil, err
			}
			body = io.LimitReader(c.in, length)
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			body = &chunkedBody{in: c.in, chunks: httputil.NewChunkedReader(c.in)}
		}
	}
	if body == nil {
		return 0, nil, errors.New("the answer's length is unknown")
	}
	return status, body, nil
}

// chunkedBody reads a chunked body and the line break after its last chunk.
type chunkedBody struct {
	in     *bufio.Reader
	chunks io.Reader
}

func (b *chunkedBody) Read(p []byte) (int, error) {
	n, err := b.chunks.Read(p)
	if errors.Is(err, io.EOF) {
		if _, err := b.in.Discard(len("\r\n")); err != nil {
			return n, err
		}
	}
	return n, err
}

// Get returns the body of a resource, read on a new connection.
func Get(ctx context.Context, address, path string) ([]byte, error) {
	c, err := Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	body, err := c.Do([]byte("GET " + path + " HTTP/1.1\r\nHost: bench\r\n\r\n"))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(body)
}

// GetRequest encodes a GET request with one header line besides Host.
func GetRequest(path, header string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: bench\r\n" + header + "\r\n\r\n")
}

// PostRequest encodes a POST request with a bearer token and a JSON body.
func PostRequest(path, token string, body []byte) []byte {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, token, len(body))
	return append([]byte(head), body...)
}
