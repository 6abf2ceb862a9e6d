package role

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

	"github.com/chatkit-rest/chatkit-rest/tests/bench/script"
)

// chunkHead and chunkTail enclose the text of a chunk; lastChunks end an answer.
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

// textChunks returns chunks with short words, some with a line break, quotes or
// letters outside ASCII.
func textChunks() [][]byte {
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

// upstream stands in for OpenRouter. In production OpenRouter runs on other
// machines, so upstream must use little CPU time: it writes HTTP directly to its
// connections.
type upstream struct {
	chunks [][]byte
	// bursts counts the answers whose burst has been written.
	bursts atomic.Int64
}

// ServeUpstream runs the upstream.
func ServeUpstream(ctx context.Context, stdout io.Writer) error {
	u := &upstream{chunks: textChunks()}
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
		received := time.Now() // The body may come long after the header.
		a, err := readScript(body)
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

func readScript(body []byte) (script.Answer, error) {
	var request struct {
		Messages []struct {
			Content messageText `json:"content"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return script.Answer{}, err
	}
	if len(request.Messages) == 0 {
		return script.Answer{}, errors.New("the request has no message")
	}
	return script.Parse(string(request.Messages[len(request.Messages)-1].Content))
}

// messageText is the content of a message: a string, or a list with one part.
type messageText string

// UnmarshalJSON decodes both forms.
func (c *messageText) UnmarshalJSON(data []byte) error {
	if data[0] != '[' {
		return json.Unmarshal(data, (*string)(c))
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(data, &parts); err != nil || len(parts) != 1 {
		return errors.New("the content is not one text")
	}
	*c = messageText(parts[0].Text)
	return nil
}

// chunkWriter writes the deltas of an answer.
type chunkWriter struct {
	conn     net.Conn
	chunks   [][]byte
	answer   script.Answer
	received time.Time
	written  int
	// chunk is the content of the next HTTP chunk; pending is written before it.
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
	// Spread the streams' ticks over the pace, however fast the streams started.
	time.Sleep(rand.N(c.answer.Pace)) //nolint:gosec // not for security
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
			c.chunk = script.AppendStamp(c.chunk, script.ReceivedMark, c.received)
		}
		c.chunk = script.AppendStamp(c.chunk, script.WroteMark, time.Now())
		c.chunk = append(c.chunk, chunkTail...)
	} else {
		c.chunk = append(c.chunk, c.chunks[c.written%len(c.chunks)]...)
	}
	c.written++
}

// flush sends the added deltas as one HTTP chunk.
func (c *chunkWriter) flush() error {
	c.pending = strconv.AppendInt(c.pending, int64(len(c.chunk)), 16)
	c.pending = append(c.pending, "\r\n"...)
	c.pending = append(c.pending, c.chunk...)
	c.pending = append(c.pending, "\r\n"...)
	_, err := c.conn.Write(c.pending)
	c.chunk, c.pending = c.chunk[:0], c.pending[:0]
	return err
}

// end sends the added data and ends the answer.
func (c *chunkWriter) end() error {
	if err := c.flush(); err != nil {
		return err
	}
	_, err := io.WriteString(c.conn, "0\r\n\r\n")
	return err
}
