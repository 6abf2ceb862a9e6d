package harness

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
)

// Script is what the upstream does for one question, in order.
type Script []Step

// Step is a part of a script. It returns false when the script is over.
type Step func(x *exchange) bool

// exchange is a question while it is answered.
type exchange struct {
	w      http.ResponseWriter
	r      *http.Request
	closed <-chan struct{}
	begun  bool
}

// DefaultScript answers "Hello from the model." as OpenRouter would.
func DefaultScript() Script { return Says("Hello", " from", " the", " model.") }

// Says is a whole answer in pieces: comments, the text, the reason it ended,
// usage with cost, [DONE].
func Says(pieces ...string) Script {
	script := Script{Comment("OPENROUTER PROCESSING"), Comment("OPENROUTER PROCESSING")}
	for _, piece := range pieces {
		script = append(script, Text(piece))
	}
	return append(script, Finish("stop"), Usage(12, len(pieces), 0.000125), Done())
}

// Text sends a piece of the answer.
func Text(text string) Step {
	return JSON(chunk(map[string]any{"role": "assistant", "content": text}, nil))
}

// Finish sends the reason why the answer ended.
func Finish(reason string) Step {
	return JSON(chunk(map[string]any{"role": "assistant", "content": ""}, reason))
}

// Usage sends what the answer used; cost is in credits.
func Usage(input, output int, cost float64) Step {
	last := chunk(map[string]any{"role": "assistant", "content": ""}, nil)
	last["usage"] = map[string]any{
		"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output, "cost": cost,
	}
	return JSON(last)
}

func chunk(delta map[string]any, finishReason any) map[string]any {
	return map[string]any{
		"id": "gen-1763888888-test", "object": "chat.completion.chunk", "created": 1763888888,
		"provider": "Test", "model": "test/model",
		"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finishReason}},
	}
}

// JSON sends any value as the data of an event.
func JSON(value any) Step {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // A test wrote what is no JSON.
	}
	return Raw("data: " + string(data) + "\n\n")
}

// Comment sends a line that readers must skip.
func Comment(text string) Step { return Raw(": " + text + "\n\n") }

// Done sends the end of the stream.
func Done() Step { return Raw("data: [DONE]\n\n") }

// Raw sends bytes as they are.
func Raw(text string) Step {
	return func(x *exchange) bool {
		x.begin()
		if _, err := io.WriteString(x.w, text); err != nil {
			return false
		}
		return http.NewResponseController(x.w).Flush() == nil
	}
}

// Open sends the status and headers of a stream, and nothing yet.
func Open() Step {
	return func(x *exchange) bool {
		x.begin()
		return http.NewResponseController(x.w).Flush() == nil
	}
}

func (x *exchange) begin() {
	if x.begun {
		return
	}
	x.begun = true
	x.w.Header().Set("Content-Type", "text/event-stream")
	x.w.Header().Set("Cache-Control", "no-cache")
	x.w.WriteHeader(http.StatusOK)
}

// Wait goes on when the gate is closed; it gives up when the client leaves.
func Wait(gate <-chan struct{}) Step {
	return func(x *exchange) bool {
		select {
		case <-gate:
			return true
		case <-x.r.Context().Done():
		case <-x.closed:
		}
		return false
	}
}

// Hang does nothing more until the client leaves.
func Hang() Step { return Wait(nil) }

// Tell closes the channel, so that a test knows how far the script is.
func Tell(reached chan<- struct{}) Step {
	return func(*exchange) bool {
		close(reached)
		return true
	}
}

// Refuse answers with a status and a body instead of a stream. A Retry-After
// below zero is not sent.
func Refuse(status, retryAfter int, body string) Step {
	return func(x *exchange) bool {
		if retryAfter >= 0 {
			x.w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		}
		x.w.Header().Set("Content-Type", "application/json")
		x.w.WriteHeader(status)
		_, _ = io.WriteString(x.w, body) // Writing fails only where the client has disconnected.
		return false
	}
}

// Cut closes the connection in the middle of the answer.
func Cut() Step {
	return func(x *exchange) bool {
		closeConn(x, false)
		return false
	}
}

// Reset ends the connection by a TCP reset.
func Reset() Step {
	return func(x *exchange) bool {
		closeConn(x, true)
		return false
	}
}

func closeConn(x *exchange, reset bool) {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		panic(err) // Only HTTP/1 is served here, and once.
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0) // It is closed either way.
	}
	_ = conn.Close() // Nobody reads from it any more.
}
