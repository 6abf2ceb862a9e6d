package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/loadclient"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/script"
)

// target is a server to which the requests of a measurement are sent.
type target struct {
	name    string
	process *process
	// requests returns n requests for an answer. They may be sent at the same
	// time, and each may be sent again when its answer has ended.
	requests func(ctx context.Context, n int, a script.Answer) ([][]byte, error)
}

// short returns the name without the prefix that all targets of the server have.
func (t *target) short() string { return shortName(t.name) }

func shortName(name string) string { return strings.TrimPrefix(name, "this server, ") }

// The numbers of events that a stream has besides its deltas. The proxy's streams
// have minOtherEvents, those of the Python package's server maxOtherEvents.
const (
	minOtherEvents = 3
	maxOtherEvents = 12
)

// checkEvents returns an error if a stream was not complete.
func (t *target) checkEvents(events, deltas int) error {
	if other := events - deltas; other < minOtherEvents || other > maxOtherEvents {
		return fmt.Errorf("%s: a stream of %d deltas had %d events", t.name, deltas, events)
	}
	return nil
}

// proxyTarget sends requests to the upstream's API, as the server does.
func proxyTarget(p *process) *target {
	return &target{name: "bare proxy", process: p, requests: func(_ context.Context, n int, a script.Answer) ([][]byte, error) {
		question, err := a.Text()
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
			return nil, fmt.Errorf("encode a request: %w", err)
		}
		requests := make([][]byte, n)
		for i := range requests {
			requests[i] = loadclient.PostRequest("/api/v1/chat/completions", "bench", body)
		}
		return requests, nil
	}}
}

// serverTarget sends requests to the REST API, each for a new user in a new
// session.
func serverTarget(name string, p *process, tokens *tokens) *target {
	return &target{name: name, process: p, requests: func(ctx context.Context, n int, a script.Answer) ([][]byte, error) {
		question, err := a.Text()
		if err != nil {
			return nil, err
		}
		body, err := json.Marshal(map[string]any{"message": map[string]any{
			"role": "user", "content": []map[string]string{{"type": "input_text", "text": question}},
		}})
		if err != nil {
			return nil, fmt.Errorf("encode a request: %w", err)
		}
		c, err := loadclient.Dial(ctx, p.address)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		requests := make([][]byte, n)
		for i := range requests {
			token, err := tokens.forNewUser()
			if err != nil {
				return nil, err
			}
			id, err := createSession(c, token)
			if err != nil {
				return nil, err
			}
			requests[i] = loadclient.PostRequest("/api/v1/chatkit/sessions/"+id+"/threads/"+id+"/runs", token, body)
		}
		return requests, nil
	}}
}

func createSession(c *loadclient.Client, token string) (string, error) {
	body, err := c.Do(loadclient.PostRequest("/api/v1/chatkit/sessions", token, nil))
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

// tokens creates tokens that the servers accept.
type tokens struct {
	secret string
	users  int
}

// forNewUser returns the token of a new user.
func (t *tokens) forNewUser() (string, error) {
	t.users++
	return t.forUser(fmt.Sprintf("stream-%d", t.users))
}

func (t *tokens) forUser(user string) (string, error) {
	return auth.Mint([]byte(t.secret), user, 24*time.Hour, time.Now())
}
