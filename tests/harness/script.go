package harness

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
)

// Script is an answer of the upstream to a question, as a list of steps.
type Script []Step

// Step is a step of a script. It returns false to end the script.
type Step func(x *exchange) bool

// exchange is a request and its response.
type exchange struct {
	w      http.ResponseWriter
	r      *http.Request
	closed <-chan struct{}
	// begun reports whether the headers were sent.
	begun bool
}

// DefaultScript returns a short answer: "Hello from the model." in four deltas.
func DefaultScript() Script { return TextAnswer("Hello", " from", " the", " model.") }

// TextAnswer returns a complete answer with a delta for each piece of the text:
// comments, the deltas, the finish reason, the usage with its cost, [DONE].
func TextAnswer(pieces ...string) Script {
	script := Script{Comment("OPENROUTER PROCESSING"), Comment("OPENROUTER PROCESSING")}
	for _, piece := range pieces {
		script = append(script, Text(piece))
	}
	return append(script, Finish("stop"), Usage(12, len(pieces), 0.000125), Done())
}

// Text sends a delta of the answer.
func Text(text string) Step {
	return JSON(chunk(map[string]any{"role": "assistant", "content": text}, nil))
}

// Finish sends the finish reason.
func Finish(reason string) Step {
	return JSON(chunk(map[string]any{"role": "assistant", "content": ""}, reason))
}

// Usage sends the numbers of tokens and the cost in credits.
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

// JSON sends an event with the value as its data.
func JSON(value any) Step {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // The test passed a value that cannot be encoded.
	}
	return Raw("data: " + string(data) + "\n\n")
}

// Comment sends an SSE comment, which clients must ignore.
func Comment(text string) Step { return Raw(": " + text + "\n\n") }

// Done sends [DONE], the end of the stream.
func Done() Step { return Raw("data: [DONE]\n\n") }

// Raw sends the text unchanged.
func Raw(text string) Step {
	return func(x *exchange) bool {
		x.begin()
		if _, err := io.WriteString(x.w, text); err != nil {
			return false
		}
		return http.NewResponseController(x.w).Flush() == nil
	}
}

// Headers sends the status and the headers of a stream.
func Headers() Step {
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

// Wait waits until the gate is closed. It ends the script if the client
// disconnects first.
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

// Signal closes the channel.
func Signal(channel chan<- struct{}) Step {
	return func(*exchange) bool {
		close(channel)
		return true
	}
}

// Refuse answers with a status and a body instead of a stream. It sends no
// Retry-After if retryAfter is negative.
func Refuse(status, retryAfter int, body string) Step {
	return func(x *exchange) bool {
		if retryAfter >= 0 {
			x.w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		}
		x.w.Header().Set("Content-Type", "application/json")
		x.w.WriteHeader(status)
		_, _ = io.WriteString(x.w, body) // Writing fails only if the client has disconnected.
		return false
	}
}

// CloseConnection closes the connection before the end of the answer.
func CloseConnection() Step {
	return func(x *exchange) bool {
		closeConn(x, false)
		return false
	}
}

// ResetConnection resets the TCP connection.
func ResetConnection() Step {
	return func(x *exchange) bool {
		closeConn(x, true)
		return false
	}
}

func closeConn(x *exchange, reset bool) {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		panic(err) // Cannot happen: the connection is HTTP/1.1 and not hijacked yet.
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0) // On an error the connection is closed without a reset.
	}
	_ = conn.Close() // The client sees the closed connection.
}
