package harness

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness/contract"
)

// Event is an event of a run's stream.
type Event struct {
	// Type is the event's type; "[DONE]" for the end of the stream.
	Type string
	// Value is the event in the generated client's type; nil for [DONE].
	Value any
	// Raw is the data line as it was received.
	Raw string
}

// Run is the stream of a run.
type Run struct {
	ID     string
	Header http.Header

	t      testing.TB
	body   io.ReadCloser
	reader *bufio.Reader
	cancel context.CancelFunc
}

// MessageBody returns the body of a message with these text parts.
func MessageBody(parts ...string) client.CreateRunRequest {
	content := make([]client.CreateRunContent, len(parts))
	for n, part := range parts {
		content[n] = client.CreateRunContent{Type: client.CreateRunContentTypeInputText, Text: part}
	}
	return client.CreateRunRequest{
		Message: client.CreateRunMessage{Role: client.CreateRunMessageRoleUser, Content: content},
	}
}

// StartRun sends a message and returns the stream of its answer.
func (u *User) StartRun(session uuid.UUID, parts ...string) *Run {
	u.t.Helper()
	ctx, cancel := context.WithCancel(u.Context())
	response, err := u.API.CreateRun(ctx, session, session, MessageBody(parts...)) //nolint:bodyclose // Run.Close does
	if err != nil {
		cancel()
		u.t.Fatalf("create run: %v", err)
	}
	run := &Run{
		ID: response.Header.Get("X-Run-Id"), Header: response.Header,
		t: u.t, body: response.Body, reader: bufio.NewReader(response.Body), cancel: cancel,
	}
	u.t.Cleanup(run.Close)
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(response.Body)
		u.t.Fatalf("create run: %s: %s", response.Status, body)
	}
	return run
}

// Say sends a message and returns every event of its answer.
func (u *User) Say(session uuid.UUID, parts ...string) []Event {
	u.t.Helper()
	return u.StartRun(session, parts...).All()
}

// Close closes the connection, as a browser does when the page is closed.
func (r *Run) Close() {
	r.cancel()
	_ = r.body.Close() // The stream is not read further.
}

// Next returns the next event, or false at the end of the stream. A broken stream
// fails the test.
func (r *Run) Next() (Event, bool) {
	r.t.Helper()
	event, err := ReadEvent(r.reader)
	if errors.Is(err, io.EOF) {
		return Event{}, false
	}
	if err != nil {
		r.t.Fatalf("read the stream of run %s: %v", r.ID, err)
	}
	return event, true
}

// All reads the stream to its end.
func (r *Run) All() []Event {
	r.t.Helper()
	var events []Event
	for {
		event, ok := r.Next()
		if !ok {
			return events
		}
		events = append(events, event)
	}
}

// Until reads events up to one of the type and returns all that it read.
func (r *Run) Until(eventType string) []Event {
	r.t.Helper()
	var events []Event
	for {
		event, ok := r.Next()
		if !ok {
			r.t.Fatalf("the stream ended before %s; it had %v", eventType, Types(events))
		}
		events = append(events, event)
		if event.Type == eventType {
			return events
		}
	}
}

// ReadEvents reads a stream to its end or to the first error.
func ReadEvents(stream io.Reader) ([]Event, error) {
	reader := bufio.NewReader(stream)
	var events []Event
	for {
		event, err := ReadEvent(reader)
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		events = append(events, event)
	}
}

// ReadEvent reads the next event of a stream. It returns io.EOF at its end.
func ReadEvent(reader *bufio.Reader) (Event, error) {
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return Event{}, err
		}
		data, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "data: ")
		if !ok {
			continue
		}
		if data == contract.EndOfStream {
			return Event{Type: contract.EndOfStream, Raw: data}, nil
		}
		var union client.ThreadStreamEvent
		if err := json.Unmarshal([]byte(data), &union); err != nil {
			return Event{}, err
		}
		value, err := union.ValueByDiscriminator()
		if err != nil {
			return Event{}, err
		}
		name, err := union.Discriminator()
		return Event{Type: name, Value: value, Raw: data}, err
	}
}

// Types returns the types of events. That of a thread.item.updated is followed by
// the type of its update.
func Types(events []Event) []string {
	names := make([]string, len(events))
	for n, event := range events {
		names[n] = event.Type
		if update, ok := event.Value.(client.ThreadItemUpdatedEvent); ok {
			if part, err := update.Update.Discriminator(); err == nil {
				names[n] += " " + part
			}
		}
	}
	return names
}

// DeltaText returns the text of all deltas.
func DeltaText(events []Event) string {
	var text strings.Builder
	for _, event := range events {
		update, ok := event.Value.(client.ThreadItemUpdatedEvent)
		if !ok {
			continue
		}
		if delta, err := update.Update.AsAssistantMessageContentPartTextDelta(); err == nil {
			text.WriteString(delta.Delta)
		}
	}
	return text.String()
}
