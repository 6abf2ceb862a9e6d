package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// What a chunk of OpenRouter has around its text.
const (
	chunkHead = `data: {"id":"gen-1763900000-MeAsUrEmEnTmEaSuReMe","provider":"Stand-in","model":"bench/model",` +
		`"object":"chat.completion.chunk","created":1763900000,` +
		`"choices":[{"index":0,"delta":{"role":"assistant","content":"`
	chunkTail = `"},"finish_reason":null,"native_finish_reason":null,"logprobs":null}]}` + "\n\n"

	lastChunks = `data: {"id":"gen-1763900000-MeAsUrEmEnTmEaSuReMe","provider":"Stand-in","model":"bench/model",` +
		`"object":"chat.completion.chunk","created":1763900000,"choices":[{"index":0,` +
		`"delta":{"role":"assistant","content":""},"finish_reason":"stop","native_finish_reason":"stop","logprobs":null}]}` +
		"\n\n" +
		`data: {"id":"gen-1763900000-MeAsUrEmEnTmEaSuReMe","provider":"Stand-in","model":"bench/model",` +
		`"object":"chat.completion.chunk","created":1763900000,"choices":[{"index":0,` +
		`"delta":{"role":"assistant","content":""},"finish_reason":null,"native_finish_reason":null,"logprobs":null}],` +
		`"usage":{"prompt_tokens":12,"completion_tokens":34,"total_tokens":46,"cost":0.00001}}` +
		"\n\ndata: [DONE]\n\n"
)

// pieces are the texts of deltas, as JSON has them: mostly short words, now
// and then a line break, quotes or letters that are not ASCII.
func pieces() [][]byte {
	words := []string{
		" the", " answer", " to", " your", " question", " is", " that", " a", " server", " should", " pass", " on",
		" what", " it", " gets", ",", " as", " soon", " as", " it", " comes", ".", `\n\n`, " Some", " words", " have",
		` \"quotes\"`, " or", " na", "ïve", " letters", " —", " most", " do", " not", ".", " And", " so", " it", " goes",
	}
	chunks := make([][]byte, len(words))
	for n, word := range words {
		chunks[n] = []byte(chunkHead + word + chunkTail)
	}
	return chunks
}

// upstream stands in for OpenRouter. It speaks HTTP by hand, on its
// connections: in life it is another machine, so it must cost these cores as
// little as it can.
type upstream struct {
	chunks [][]byte
	// bursts counts the answers whose burst has been written.
	bursts atomic.Int64
}

func serveUpstream(ctx context.Context, stdout io.Writer) error {
	u := &upstream{chunks: pieces()}
	return serveListener(ctx, stdout, u.accept, func(l net.Listener) error { return l.Close() })
}

// accept serves each connection until the listener is closed.
func (u *upstream) accept(listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go u.serve(conn)
	}
}

// serve answers the requests of a connection. An error means that the
// client disconnected or sent an invalid request; the connection is closed.
func (u *upstream) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(in)
		if err != nil || u.answer(conn, request) != nil {
			return
		}
	}
}

func (u *upstream) answer(conn net.Conn, request *http.Request) error {
	switch request.Method + " " + request.URL.Path {
	case "POST /api/v1/chat/completions":
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return err
		}
		received := time.Now() // All of it: a body may come long after its head.
		a, err := readQuestion(body)
		if err != nil {
			return errors.Join(err, writeText(conn, "400 Bad Request", err.Error()))
		}
		return u.complete(&chunkWriter{conn: conn, chunks: u.chunks, answer: a, received: received})
	case "GET /bursts":
		return writeText(conn, "200 OK", strconv.FormatInt(u.bursts.Load(), 10))
	default:
		return writeText(conn, "404 Not Found", "")
	}
}

func writeText(conn net.Conn, status, text string) error {
	_, err := fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", status, len(text), text)
	return err
}

const streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

func (u *upstream) complete(out *chunkWriter) error {
	time.Sleep(out.answer.First)
	out.pending = append(out.pending, streamHead...)
	if err := out.writeBurst(); err != nil {
		return err
	}
	u.bursts.Add(1)
	if err := out.writePaced(); err != nil {
		return err
	}
	out.chunk = append(out.chunk, lastChunks...)
	return out.end()
}

func readQuestion(body []byte) (answer, error) {
	var request struct {
		Messages []struct {
			Content question `json:"content"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return answer{}, err
	}
	if len(request.Messages) == 0 {
		return answer{}, errors.New("the request has no message")
	}
	return parseQuestion(string(request.Messages[len(request.Messages)-1].Content))
}

// question is a text, or the text of a list of one part.
type question string

// UnmarshalJSON takes both forms.
func (c *question) UnmarshalJSON(data []byte) error {
	if data[0] != '[' {
		return json.Unmarshal(data, (*string)(c))
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(data, &parts); err != nil || len(parts) != 1 {
		return errors.New("the content is no text")
	}
	*c = question(parts[0].Text)
	return nil
}

// chunkWriter writes the deltas of an answer.
type chunkWriter struct {
	conn     net.Conn
	chunks   [][]byte
	answer   answer
	received time.Time
	written  int
	// chunk is what the next chunk of HTTP holds; pending is what goes before it.
	chunk, pending []byte
}

func (c *chunkWriter) writeBurst() error {
	for c.written < c.answer.Burst {
		c.add()
		if c.written%c.answer.Block == 0 || c.written == c.answer.Burst {
			if err := c.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *chunkWriter) writePaced() error {
	if c.written == c.answer.Deltas {
		return nil
	}
	// Streams that were opened faster must not tick closer together for it.
	time.Sleep(rand.N(c.answer.Pace)) //nolint:gosec // it spreads, and guards nothing
	ticker := time.NewTicker(c.answer.Pace)
	defer ticker.Stop()
	for c.written < c.answer.Deltas {
		<-ticker.C
		c.add()
		if err := c.flush(); err != nil {
			return err
		}
	}
	return nil
}

func (c *chunkWriter) add() {
	if c.answer.Stamp {
		c.chunk = append(c.chunk, chunkHead...)
		if c.written == 0 {
			c.chunk = appendStamp(c.chunk, receivedMark, c.received)
		}
		c.chunk = appendStamp(c.chunk, wroteMark, time.Now())
		c.chunk = append(c.chunk, chunkTail...)
	} else {
		c.chunk = append(c.chunk, c.chunks[c.written%len(c.chunks)]...)
	}
	c.written++
}

// flush sends what was added.
func (c *chunkWriter) flush() error {
	c.pending = strconv.AppendInt(c.pending, int64(len(c.chunk)), 16)
	c.pending = append(c.pending, "\r\n"...)
	c.pending = append(c.pending, c.chunk...)
	c.pending = append(c.pending, "\r\n"...)
	_, err := c.conn.Write(c.pending)
	c.chunk, c.pending = c.chunk[:0], c.pending[:0]
	return err
}

// end sends what was added, and the answer's end.
func (c *chunkWriter) end() error {
	if err := c.flush(); err != nil {
		return err
	}
	_, err := io.WriteString(c.conn, "0\r\n\r\n")
	return err
}
