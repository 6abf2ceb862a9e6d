package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
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

// upstream stands in for OpenRouter.
type upstream struct {
	chunks [][]byte
	// bursts counts the answers whose burst has been written.
	bursts atomic.Int64
}

func serveUpstream(ctx context.Context, stdout io.Writer) error {
	u := &upstream{chunks: pieces()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/chat/completions", u.complete)
	mux.HandleFunc("GET /bursts", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strconv.FormatInt(u.bursts.Load(), 10)) // The asker sees what is missing.
	})
	return serveRole(ctx, mux, stdout)
}

func (u *upstream) complete(w http.ResponseWriter, r *http.Request) {
	received := time.Now()
	a, err := readQuestion(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !wait(r.Context(), a.First) {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := &chunkWriter{w: w, control: http.NewResponseController(w), chunks: u.chunks, answer: a, received: received}
	// An error below says that the client has gone.
	if out.writeBurst() != nil {
		return
	}
	u.bursts.Add(1)
	if out.writePaced(r.Context()) != nil {
		return
	}
	_, _ = io.WriteString(w, lastChunks)
}

func readQuestion(body io.Reader) (answer, error) {
	var request struct {
		Messages []struct {
			Content question `json:"content"`
		} `json:"messages"`
	}
	if err := json.NewDecoder(body).Decode(&request); err != nil {
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

// wait returns false if ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// chunkWriter writes the deltas of an answer.
type chunkWriter struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	chunks   [][]byte
	answer   answer
	received time.Time
	written  int
	stamped  []byte
}

func (c *chunkWriter) writeBurst() error {
	for c.written < c.answer.Burst {
		if err := c.write(); err != nil {
			return err
		}
		if c.written%c.answer.Block == 0 || c.written == c.answer.Burst {
			if err := c.control.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *chunkWriter) writePaced(ctx context.Context) error {
	if c.written == c.answer.Deltas {
		return nil
	}
	ticker := time.NewTicker(c.answer.Pace)
	defer ticker.Stop()
	for c.written < c.answer.Deltas {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := c.write(); err != nil {
			return err
		}
		if err := c.control.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (c *chunkWriter) write() error {
	chunk := c.chunks[c.written%len(c.chunks)]
	if c.answer.Stamp {
		c.stamped = append(c.stamped[:0], chunkHead...)
		if c.written == 0 {
			c.stamped = appendStamp(c.stamped, receivedMark, c.received)
		}
		c.stamped = appendStamp(c.stamped, wroteMark, time.Now())
		c.stamped = append(c.stamped, chunkTail...)
		chunk = c.stamped
	}
	c.written++
	_, err := c.w.Write(chunk)
	return err
}
