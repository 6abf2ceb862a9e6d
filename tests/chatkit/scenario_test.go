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

// scenario is a file of scenarios/: the requests of a client, in order, and the
// answers of the upstream.
type scenario struct {
	Name string `json:"-"`
	// Notes describe the scenario.
	Notes string `json:"notes"`
	Steps []step `json:"steps"`
}

// step is a request of a client.
type step struct {
	// Request is the body, with placeholders; see placeholders.
	Request json.RawMessage `json:"request"`
	// Text is sent instead of Request where the body is not JSON.
	Text *string `json:"text"`
	// Upload is sent instead of Request, to the upload URL of an attachment.
	Upload *upload `json:"upload"`
	// As is the name of another user; "" is the scenario's own.
	As string `json:"as"`
	// Upstream are the answers of the upstream during this step: the first
	// request gets the first, the next the next, all further ones the last.
	Upstream []upstreamAnswer `json:"upstream"`
	// CloseWhenSaid closes the connection once the text of the deltas is this.
	CloseWhenSaid string `json:"close_when_said"`
	// Until repeats the request until its page has so many entries.
	Until int `json:"until"`
	// Asked is the expected content of the last request to the upstream.
	Asked *asked `json:"asked"`
	// Ours is the expected answer of the server under test where it differs from
	// the reference on purpose.
	Ours *ours `json:"ours"`
}

// upload is the bytes of an attachment.
type upload struct {
	// Attachment is its number: the first that was created is 1.
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

// asked describes a request to the upstream.
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

// ours is an answer that only the server under test gives.
type ours struct {
	// Why is the reason for the difference from the reference.
	Why string `json:"why"`
	// Status and Code are of a failure, in the envelope of the REST API.
	Status int    `json:"status"`
	Code   string `json:"code"`
	// Body is a whole answer, with a status of 200.
	Body json.RawMessage `json:"body"`
	// Events are of a stream, after folding, with ids and times replaced.
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
