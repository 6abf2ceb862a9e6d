package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
)

// way is a way to the upstream's answers: the server, or the bare proxy.
type way struct {
	name    string
	process *process
	// requests makes n requests for an answer that may go at once. Each may go
	// again once its answer has ended.
	requests func(ctx context.Context, n int, a answer) ([][]byte, error)
}

// short is the name without what all of the server's ways have.
func (w *way) short() string { return shortName(w.name) }

func shortName(name string) string { return strings.TrimPrefix(name, "this server, ") }

// A stream has a few events beside its deltas: the proxy's at least leastExtra,
// the Python package's server at most mostExtra.
const (
	leastExtra = 3
	mostExtra  = 12
)

// checkEvents says whether a stream was whole.
func (w *way) checkEvents(events, deltas int) error {
	if extra := events - deltas; extra < leastExtra || extra > mostExtra {
		return fmt.Errorf("%s: a stream of %d deltas had %d events", w.name, deltas, events)
	}
	return nil
}

// proxyWay asks the upstream's own API, as the server does.
func proxyWay(p *process) *way {
	return &way{name: "bare proxy", process: p, requests: func(_ context.Context, n int, a answer) ([][]byte, error) {
		question, err := a.question()
		if err != nil {
			return nil, err
		}
		body, err := json.Marshal(map[string]any{
			"model": "bench/model", "stream": true, "stream_options": map[string]bool{"include_usage": true},
			"messages": []map[string]string{
				{"role": "system", "content": "You are a helpful assistant."},
				{"role": "user", "content": question},
			},
		})
		if err != nil {
			return nil, fmt.Errorf("write a request: %w", err)
		}
		requests := make([][]byte, n)
		for i := range requests {
			requests[i] = postRequest("/api/v1/chat/completions", "bench", body)
		}
		return requests, nil
	}}
}

// serverWay sends requests to the REST API. Each is of a new user, in a session
// created for it.
func serverWay(name string, p *process, tokens *tokens) *way {
	return &way{name: name, process: p, requests: func(ctx context.Context, n int, a answer) ([][]byte, error) {
		question, err := a.question()
		if err != nil {
			return nil, err
		}
		body, err := json.Marshal(map[string]any{"message": map[string]any{
			"role": "user", "content": []map[string]string{{"type": "input_text", "text": question}},
		}})
		if err != nil {
			return nil, fmt.Errorf("write a request: %w", err)
		}
		c, err := dial(ctx, p.address)
		if err != nil {
			return nil, err
		}
		defer c.close()
		requests := make([][]byte, n)
		for i := range requests {
			token, err := tokens.next()
			if err != nil {
				return nil, err
			}
			id, err := createSession(c, token)
			if err != nil {
				return nil, err
			}
			requests[i] = postRequest("/api/v1/chatkit/sessions/"+id+"/threads/"+id+"/runs", token, body)
		}
		return requests, nil
	}}
}

func createSession(c *client, token string) (string, error) {
	body, err := c.ask(postRequest("/api/v1/chatkit/sessions", token, nil))
	if err != nil {
		return "", fmt.Errorf("create a session: %w", err)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return "", fmt.Errorf("create a session: %w", err)
	}
	var created struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.Unmarshal(text, &created); err != nil || created.Data.ID == "" {
		return "", fmt.Errorf("create a session: the answer has no id: %s", text)
	}
	return created.Data.ID, nil
}

// tokens makes tokens that the servers of the bench take.
type tokens struct {
	secret string
	users  int
}

// next is the token of a user who has had none yet.
func (t *tokens) next() (string, error) {
	t.users++
	return t.of(fmt.Sprintf("stream-%d", t.users))
}

func (t *tokens) of(user string) (string, error) {
	return auth.Mint([]byte(t.secret), user, 24*time.Hour, time.Now())
}
