//go:build chatkit

package chatkit_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	// patience bounds each wait of a test.
	patience = 30 * time.Second
	pause    = 20 * time.Millisecond
)

// How a stream ended.
const (
	ended  = "ended"  // in order
	closed = "closed" // by the step
	cut    = "cut"    // by the server, in the middle
)

// record is a step of a scenario and its result; a line of a transcript.
type record struct {
	Target   string          `json:"target"`
	Scenario string          `json:"scenario"`
	Step     int             `json:"step"`
	Request  json.RawMessage `json:"request"`
	Status   int             `json:"status"`
	// Events and End are of a stream, Body is of any other answer.
	Events []json.RawMessage `json:"events,omitempty"`
	End    string            `json:"end,omitempty"`
	Body   json.RawMessage   `json:"body,omitempty"`
	// Upload says that bytes were uploaded instead of a request.
	Upload bool `json:"upload,omitempty"`
	// Asked are the requests to the upstream during the step.
	Asked []json.RawMessage `json:"asked,omitempty"`
	// Ours says that the answer need not be of the package's types: the scenario
	// has the expected answer of the server under test.
	Ours bool `json:"ours,omitempty"`
}

// target is a server that scenarios run against.
type target struct {
	name     string
	url      string
	upstream *upstream
	// toolPrefix is the prefix of the names of the server's tools.
	toolPrefix string
	// authorization returns the header of a user with this name.
	authorization func(t *testing.T, user string) string
}

// play runs a scenario and returns a record for each step.
func (tg *target) play(t *testing.T, s scenario) []record {
	t.Helper()
	var records []record
	known := &memory{prefix: tg.toolPrefix}
	for n, st := range s.Steps {
		request := known.fill(t, st.Request)
		if st.Text != nil {
			request = []byte(*st.Text)
		}
		tg.upstream.prepare(st.Upstream)
		r := tg.do(t, s.Name+"/"+st.As, request, st, known)
		for deadline := time.Now().Add(patience); st.Until > 0 && pageSize(r.Body) < st.Until; time.Sleep(pause) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: step %d: the page has not %d entries: %s", tg.name, n, st.Until, r.Body)
			}
			r = tg.send(t, s.Name+"/"+st.As, request, st)
		}
		r.Target, r.Scenario, r.Step, r.Ours = tg.name, s.Name, n, st.Ours != nil
		r.Request = request
		if st.Text != nil || st.Upload != nil {
			r.Request = nil
		}
		r.Asked = tg.upstream.requests()
		known.note(r)
		records = append(records, r)
	}
	return records
}

// do sends the request of a step, or uploads its bytes.
func (tg *target) do(t *testing.T, user string, request []byte, st step, known *memory) record {
	t.Helper()
	if st.Upload == nil {
		return tg.send(t, user, request, st)
	}
	if st.Upload.Attachment < 1 || st.Upload.Attachment > len(known.attachments) {
		t.Fatalf("%s: attachment %d is not announced", tg.name, st.Upload.Attachment)
	}
	return tg.upload(t, known.attachments[st.Upload.Attachment-1], st.Upload.content())
}

// upload sends bytes as the attachment's upload descriptor says, and without a
// token, as the component does.
func (tg *target) upload(t *testing.T, to announced, content []byte) record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, to.Upload.Method, to.Upload.URL, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range to.Upload.Headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%s: upload: %v", tg.name, err)
	}
	defer response.Body.Close()
	return record{Status: response.StatusCode, Upload: true, Body: tg.readBody(t, response.Body)}
}

func pageSize(body []byte) int {
	var page struct {
		Data []any `json:"data"`
	}
	_ = json.Unmarshal(body, &page) // A failure has no entries.
	return len(page.Data)
}

// send sends a request and reads the whole answer.
func (tg *target) send(t *testing.T, user string, body []byte, st step) record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, tg.url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", tg.authorization(t, user))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%s: %s: %v", tg.name, body, err)
	}
	defer response.Body.Close()
	r := record{Status: response.StatusCode}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		r.Events, r.End = tg.readStream(t, response.Body, st.CloseWhenSaid)
		return r
	}
	r.Body = tg.readBody(t, response.Body)
	return r
}

// readBody reads an answer that is not a stream; text that is not JSON becomes a
// JSON string. The answer may be empty.
func (tg *target) readBody(t *testing.T, body io.Reader) json.RawMessage {
	t.Helper()
	answer, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("%s: read the answer: %v", tg.name, err)
	}
	if len(answer) == 0 {
		return nil
	}
	if !json.Valid(answer) {
		return json.RawMessage(text(string(answer)))
	}
	return answer
}

// readStream reads events until the end of the stream, or until the text of its
// deltas is the given one.
func (tg *target) readStream(t *testing.T, stream io.Reader, enough string) (events []json.RawMessage, end string) {
	t.Helper()
	reader := bufio.NewReader(stream)
	var said strings.Builder
	for {
		line, err := reader.ReadString('\n')
		switch {
		case errors.Is(err, io.EOF) && line == "":
			return events, ended
		case err != nil:
			return events, cut
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, ":") {
			continue
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok || !json.Valid([]byte(data)) {
			t.Fatalf("a line of a stream is no event: %q", line)
		}
		events = append(events, json.RawMessage(data))
		if delta := deltaOf(t, data); delta != "" {
			said.WriteString(delta)
			tg.upstream.heard(said.String())
		}
		if enough != "" && said.String() == enough {
			return events, closed
		}
	}
}

func deltaOf(t *testing.T, event string) string {
	t.Helper()
	var e struct {
		Update struct {
			Type  string `json:"type"`
			Delta string `json:"delta"`
		} `json:"update"`
	}
	if err := json.Unmarshal([]byte(event), &e); err != nil {
		t.Fatalf("an event is no object: %s", event)
	}
	if e.Update.Type != textDelta {
		return ""
	}
	return e.Update.Delta
}

const textDelta = "assistant_message.content_part.text_delta"
