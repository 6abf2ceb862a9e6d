//go:build chatkit

package chatkit_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// scenario is a file of scenarios/: what a client sends, in order, and how the
// upstream answers meanwhile.
type scenario struct {
	Name string `json:"-"`
	// Notes say what the scenario shows.
	Notes string `json:"notes"`
	Steps []step `json:"steps"`
}

// step is a request of a client.
type step struct {
	// Request is the body, with placeholders; see placeholders.
	Request json.RawMessage `json:"request"`
	// Text is sent instead of Request where the body is no JSON.
	Text *string `json:"text"`
	// Upload is sent instead of Request, to where an attachment's bytes go.
	Upload *upload `json:"upload"`
	// As is another user's name; "" is the scenario's own.
	As string `json:"as"`
	// Upstream is how the upstream answers during this step: the first request
	// by the first, the next by the next, all further ones by the last.
	Upstream []upstreamAnswer `json:"upstream"`
	// CloseWhenSaid closes the connection when the deltas say this together.
	CloseWhenSaid string `json:"close_when_said"`
	// Until repeats the request until its page has so many entries.
	Until int `json:"until"`
	// Asked is what the last request to the upstream must have held.
	Asked *asked `json:"asked"`
	// Ours is what the server under test must answer where it does not answer
	// as the reference does.
	Ours *ours `json:"ours"`
}

// upload is the bytes of an attachment.
type upload struct {
	// Attachment says which: the first that was announced is 1.
	Attachment int `json:"attachment"`
	// Text or Base64 are the bytes.
	Text   string `json:"text"`
	Base64 []byte `json:"base64"`
}

func (u upload) content() []byte {
	if u.Base64 != nil {
		return u.Base64
	}
	return []byte(u.Text)
}

// asked tells of a request to the upstream.
type asked struct {
	// OnlyOurs says that the reference sends something else.
	OnlyOurs   bool     `json:"only_ours"`
	Contains   []string `json:"contains"`
	Lacks      []string `json:"lacks"`
	Model      string   `json:"model"`
	ToolChoice string   `json:"tool_choice"`
	// Times is how many requests the step made; 0 is any number.
	Times int `json:"times"`
}

// ours is an answer of the server under test alone.
type ours struct {
	// Why says why it differs from the reference.
	Why string `json:"why"`
	// Status and Code are a failure's, in the REST door's envelope.
	Status int    `json:"status"`
	Code   string `json:"code"`
	// Body is a whole answer, with a status of 200.
	Body json.RawMessage `json:"body"`
	// Events are a stream's, after folding, ids and times replaced.
	Events []json.RawMessage `json:"events"`
}

// scenarios reads every file of scenarios/.
func scenarios(t *testing.T) []scenario {
	t.Helper()
	paths, err := filepath.Glob("scenarios/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	var all []scenario
	for _, path := range paths {
		content, err := os.ReadFile(path) //nolint:gosec // a file of this folder
		if err != nil {
			t.Fatal(err)
		}
		s := scenario{Name: strings.TrimSuffix(filepath.Base(path), ".json")}
		decoder := json.NewDecoder(bytes.NewReader(content))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&s); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, s)
	}
	return all
}
