package demo

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxBody is well above any history the service sends, its images among it, in bytes.
const maxBody = 32 << 20

// complete serves POST /chat/completions.
func (s *Server) complete(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		refuse(w, refusals()[http.StatusRequestEntityTooLarge])
		return
	}
	if err != nil {
		return // the client left while it was sending
	}
	req, err := decode(body)
	if err != nil {
		refuse(w, refusal{status: http.StatusBadRequest, message: err.Error()})
		return
	}
	plan := choose(req, time.Now().UTC())
	if plan.refusal != nil {
		refuse(w, *plan.refusal)
		return
	}
	s.streams.Add(1)
	defer s.streams.Add(-1)
	// The only possible failure is a disconnected client.
	_ = newStream(w, s.pace).play(r.Context(), plan, promptTokens(req.Messages))
}

// promptTokens counts a word as a token.
func promptTokens(messages []message) int {
	total := 0
	for _, m := range messages {
		total += len(strings.Fields(m.Content.text))
	}
	return total
}
