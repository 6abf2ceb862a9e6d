package harness

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
)

// Script is the upstream's answer to one question: its steps in order.
type Script []Step

// Step is one step of a script. It returns false when the script has ended.
type Step func(x *exchange) bool

// exchange is a request that is being answered.
type exchange struct {
	w      http.ResponseWriter
	r      *http.Request
	closed <-chan struct{}
	begun  bool
}

// DefaultScript answers "Hello from the model." as OpenRouter would.
func DefaultScript() Script { return Says("Hello", " from", " the", " model.") }

// Says returns a whole answer in pieces: comments, the text, the finish reason,
// the usage with its cost, [DONE].
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

// Finish sends the finish reason.
func Finish(reason string) Step {
	return JSON(chunk(map[string]any{"role": "assistant", "content": ""}, reason))
}

// Usage sends the tokens and the cost, in credits.
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
		panic(err) // The test's value has no JSON form.
	}
	return Raw("data: " + string(data) + "\n\n")
}

// Comment sends an SSE comment, which readers must skip.
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

// Wait continues when the gate is closed. It ends the script when the client
// disconnects.
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

// Hang waits until the client disconnects.
func Hang() Step { return Wait(nil) }

// Reached closes the channel when the script reaches this step.
func Reached(reached chan<- struct{}) Step {
	return func(*exchange) bool {
		close(reached)
		return true
	}
}

// Refuse answers with a status and a body instead of a stream. A negative
// Retry-After is not sent.
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

// Cut closes the connection before the end of the answer.
func Cut() Step {
	return func(x *exchange) bool {
		closeConn(x, false)
		return false
	}
}

// Reset resets the TCP connection.
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
	_ = conn.Close() // The client sees the closed connection.
}
