package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	providerName = "Demo"

	// At ReadablePace "/slow" waits five seconds, then gives a word every
	// 0.8 s.
	slowComments     = 5
	slowCommentPaces = 25
	slowWordPaces    = 20

	usualComments = 2
)

// stream writes the events of one answer.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	pace    time.Duration
	id      string
	created int64
}

func newStream(w http.ResponseWriter, pace time.Duration) *stream {
	now := time.Now()
	return &stream{
		w:       w,
		control: http.NewResponseController(w),
		pace:    pace,
		id:      fmt.Sprintf("gen-%d-%s", now.Unix(), rand.Text()),
		created: now.Unix(),
	}
}

// play writes the planned answer. It returns an error as soon as the client has
// disconnected. It cuts the connection by a panic with http.ErrAbortHandler, as
// net/http documents.
func (s *stream) play(ctx context.Context, p plan, promptTokens int) error {
	s.w.Header().Set("Content-Type", "text/event-stream")
	s.w.Header().Set("Cache-Control", "no-cache")
	s.w.Header().Set("X-Generation-Id", s.id)
	s.w.WriteHeader(http.StatusOK)

	comments, commentPaces, wordPaces := usualComments, 0, 1
	if p.slow {
		comments, commentPaces, wordPaces = slowComments, slowCommentPaces, slowWordPaces
	}
	for range comments {
		if err := s.write(": OPENROUTER PROCESSING\n\n"); err != nil {
			return err
		}
		if err := s.pause(ctx, commentPaces); err != nil {
			return err
		}
	}
	deltas := p.deltas()
	for _, one := range deltas {
		if err := s.pause(ctx, wordPaces); err != nil {
			return err
		}
		if err := s.send(s.chunk(one, nil)); err != nil {
			return err
		}
	}
	return s.end(ctx, p, usage{
		PromptTokens:     promptTokens,
		CompletionTokens: len(deltas),
		TotalTokens:      promptTokens + len(deltas),

		CompletionTokensDetails: completionDetails{ReasoningTokens: len(split(p.reasoning))},
	})
}

// deltas returns the planned answer in pieces.
func (p plan) deltas() []delta {
	var deltas []delta
	for _, word := range split(p.reasoning) {
		deltas = append(deltas, delta{
			Reasoning: word, ReasoningDetails: []detail{{Type: "reasoning.text", Text: word, Format: "unknown"}},
		})
	}
	for _, word := range split(p.text) {
		deltas = append(deltas, delta{Content: word})
	}
	for n, call := range p.calls {
		begin := callPiece{Index: n, ID: "call_" + rand.Text(), Type: "function", Function: functionPiece{Name: call.name}}
		deltas = append(deltas, delta{ToolCalls: []callPiece{begin}})
		for _, piece := range split(call.arguments) {
			next := callPiece{Index: n, Function: functionPiece{Arguments: piece}}
			deltas = append(deltas, delta{ToolCalls: []callPiece{next}})
		}
	}
	return deltas
}

func (s *stream) end(ctx context.Context, p plan, cost usage) error {
	switch p.ending {
	case endCut:
		panic(http.ErrAbortHandler)
	case endSilence:
		<-ctx.Done()
		return fmt.Errorf("client left: %w", ctx.Err())
	case endError:
		failed := s.chunk(delta{}, new("error"))
		failed.Error = &chunkFail{Code: "server_error", Message: "Provider disconnected unexpectedly"}
		return s.send(failed)
	case endComplete:
	}
	reason := "stop"
	if len(p.calls) > 0 {
		reason = "tool_calls"
	}
	if err := s.send(s.chunk(delta{}, &reason)); err != nil {
		return err
	}
	// OpenRouter sends the usage in an event of its own, after the finish
	// reason.
	last := s.chunk(delta{}, nil)
	last.Usage = &cost
	if err := s.send(last); err != nil {
		return err
	}
	return s.write("data: [DONE]\n\n")
}

func (s *stream) chunk(said delta, finish *string) chunk {
	said.Role = "assistant"
	return chunk{
		ID:       s.id,
		Provider: providerName,
		Model:    Model,
		Object:   "chat.completion.chunk",
		Created:  s.created,
		Choices: []choice{{
			Delta:              said,
			FinishReason:       finish,
			NativeFinishReason: finish,
		}},
	}
}

func (s *stream) send(c chunk) error {
	data, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode chunk: %w", err)
	}
	return s.write("data: " + string(data) + "\n\n")
}

func (s *stream) write(text string) error {
	if _, err := s.w.Write([]byte(text)); err != nil {
		return fmt.Errorf("write to client: %w", err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("flush to client: %w", err)
	}
	return nil
}

// pause waits the given number of paces, or until the client disconnects.
func (s *stream) pause(ctx context.Context, paces int) error {
	wait := time.Duration(paces) * s.pace
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("client left: %w", err)
	}
	return nil
}
