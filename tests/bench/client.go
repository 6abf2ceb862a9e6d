package main

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

// client is the least of an HTTP client, on one connection that is kept: the
// load must not cost more than what it is put on. Requests are bytes made
// beforehand.
type client struct {
	conn net.Conn
	in   *bufio.Reader
}

const clientBuffer = 16 << 10

func dial(ctx context.Context, address string) (*client, error) {
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &client{conn: conn, in: bufio.NewReaderSize(conn, clientBuffer)}, nil
}

// dialAll opens n connections.
func dialAll(ctx context.Context, address string, n int) ([]*client, error) {
	clients := make([]*client, 0, n)
	for range n {
		c, err := dial(ctx, address)
		if err != nil {
			closeAll(clients)
			return nil, err
		}
		clients = append(clients, c)
	}
	return clients, nil
}

func closeAll(clients []*client) {
	for _, c := range clients {
		c.close()
	}
}

func (c *client) close() { _ = c.conn.Close() } // Whatever was to come is not wanted.

// ask sends a request and returns the body of its answer, to be read to its
// end before the next one. A status other than 200 is an error.
func (c *client) ask(request []byte) (io.Reader, error) {
	if _, err := c.conn.Write(request); err != nil {
		return nil, fmt.Errorf("send a request: %w", err)
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

func (c *client) readHead() (status int, body io.Reader, err error) {
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

// chunkedBody leaves its connection where the next answer begins.
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

// getBody asks once, on a connection of its own.
func getBody(ctx context.Context, address, path string) ([]byte, error) {
	c, err := dial(ctx, address)
	if err != nil {
		return nil, err
	}
	defer c.close()
	body, err := c.ask([]byte("GET " + path + " HTTP/1.1\r\nHost: bench\r\n\r\n"))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(body)
}

// postRequest is a request with a body of JSON.
func postRequest(path, token string, body []byte) []byte {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, token, len(body))
	return append([]byte(head), body...)
}
