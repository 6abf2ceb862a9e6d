package stream

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
	"github.com/chatkit-rest/chatkit-rest/internal/eventlog"
	"github.com/chatkit-rest/chatkit-rest/internal/sse"
)

// discardStore is a store that accepts a run and stores nothing.
type discardStore struct{ chat.Store }

func (discardStore) StartRun(_ context.Context, start chat.NewRun, _ int) (chat.StartedRun, error) {
	return chat.StartedRun{Session: chat.Session{ID: start.Run.SessionID}}, nil
}

func (discardStore) FinishRun(_ context.Context, run chat.Run, _ []chat.Item) (chat.Session, error) {
	return chat.Session{ID: run.SessionID}, nil
}

// pacedModel is a model that sends a word after each of the delays, and then ends.
type pacedModel []time.Duration

func (p pacedModel) Stream(context.Context, chat.ModelRequest) (chat.ModelStream, error) {
	return &pacedStream{left: p}, nil
}

type pacedStream struct{ left pacedModel }

func (p *pacedStream) Next(chunk *chat.Chunk) error {
	if len(p.left) == 0 {
		return io.EOF
	}
	<-time.After(p.left[0])
	p.left = p.left[1:]
	*chunk = chat.Chunk{Text: "word"}
	return nil
}

func (*pacedStream) Close() error { return nil }

// recordingClient records the kind and the time of each write.
type recordingClient struct {
	*httptest.ResponseRecorder

	start time.Time
	sent  []string
}

func (c *recordingClient) Write(data []byte) (int, error) {
	kind := "events"
	if string(data) == ": keep-alive\n\n" {
		kind = "comment"
	}
	// Events of a run at the same time may be in several writes.
	if entry := kind + " at " + time.Since(c.start).Round(time.Second).String(); !slices.Contains(c.sent, entry) {
		c.sent = append(c.sent, entry)
	}
	return len(data), nil
}

// serveAndRecord serves the stream of an answer in a synctest bubble, and returns the
// kinds and times of the writes.
func serveAndRecord(t *testing.T, model pacedModel) []string {
	t.Helper()
	client := &recordingClient{ResponseRecorder: httptest.NewRecorder(), start: time.Now()}
	serveTo(t, model, client)
	return client.sent
}

// serveTo serves the stream of an answer to a client.
func serveTo(t *testing.T, model pacedModel, client http.ResponseWriter) {
	t.Helper()
	service := runs.NewService(runs.Options{
		Store: discardStore{}, Log: eventlog.NewMemory(eventlog.Options{}), Model: model, Limits: runs.Limits{MessageChars: 500, HistoryMessages: 40, HistoryChars: 32000},
	})
	session := uuid.New()
	run, err := service.StartRun(t.Context(), runs.RunRequest{
		UserID: "alice", SessionID: session, ThreadID: session,
		Content: []chat.Content{{Type: chat.ContentInputText, Text: "hello"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := New(Options{WriteTimeout: time.Minute, KeepAlive: sse.KeepAlive, End: "[DONE]"}, run.ID, run.Follow(0), t.Context().Done())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Serve(client); err != nil {
		t.Error(err)
	}
	if err := service.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestKeepAlive checks that a stream has a comment each time it had no data for
// sse.KeepAlive.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := serveAndRecord(t, pacedModel{35 * time.Second, 9 * time.Second, 9 * time.Second, 14 * time.Second})
		want := []string{
			"events at 0s", "comment at 10s", "comment at 20s", "comment at 30s",
			"events at 35s", "events at 44s", "events at 53s", "comment at 1m3s", "events at 1m7s",
		}
		if !slices.Equal(sent, want) {
			t.Errorf("sent %q\nwant %q", sent, want)
		}
	})
}
