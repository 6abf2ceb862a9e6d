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

// nowhere is a store that takes a run and keeps nothing.
type nowhere struct{ chat.Store }

func (nowhere) StartRun(_ context.Context, start chat.NewRun, _ int) (chat.StartedRun, error) {
	return chat.StartedRun{Session: chat.Session{ID: start.Run.SessionID}}, nil
}

func (nowhere) FinishRun(_ context.Context, run chat.Run, _ []chat.Item) (chat.Session, error) {
	return chat.Session{ID: run.SessionID}, nil
}

// pauses is a model that says a word after each of them, and then ends.
type pauses []time.Duration

func (p pauses) Stream(context.Context, chat.ModelRequest) (chat.ModelStream, error) {
	return &pausing{left: p}, nil
}

type pausing struct{ left pauses }

func (p *pausing) Next(chunk *chat.Chunk) error {
	if len(p.left) == 0 {
		return io.EOF
	}
	<-time.After(p.left[0])
	p.left = p.left[1:]
	*chunk = chat.Chunk{Text: "word"}
	return nil
}

func (*pausing) Close() error { return nil }

// noting is a client that notes when it was sent what.
type noting struct {
	*httptest.ResponseRecorder

	start time.Time
	sent  []string
}

func (n *noting) Write(data []byte) (int, error) {
	what := "events"
	if string(data) == ": keep-alive\n\n" {
		what = "comment"
	}
	// A run that says several things at once may be heard in several writes.
	if note := what + " at " + time.Since(n.start).Round(time.Second).String(); !slices.Contains(n.sent, note) {
		n.sent = append(n.sent, note)
	}
	return len(data), nil
}

// serveIn serves the stream of an answer in a bubble, and returns what was sent
// when.
func serveIn(t *testing.T, answer pauses) []string {
	t.Helper()
	client := &noting{ResponseRecorder: httptest.NewRecorder(), start: time.Now()}
	serveTo(t, answer, client)
	return client.sent
}

// serveTo serves the stream of an answer to a client.
func serveTo(t *testing.T, answer pauses, client http.ResponseWriter) {
	t.Helper()
	service := runs.NewService(runs.Options{
		Store: nowhere{}, Log: eventlog.NewMemory(eventlog.Options{}), Model: answer, Limits: runs.Limits{MessageChars: 500, HistoryMessages: 40, HistoryChars: 32000},
	})
	session := uuid.New()
	run, err := service.StartRun(t.Context(), runs.RunRequest{
		UserID: "alice", SessionID: session, ThreadID: session,
		Content: []chat.Content{{Type: chat.ContentInputText, Text: "hello"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := New(Options{WriteTimeout: time.Minute, KeepAlive: sse.KeepAlive, End: "[DONE]"}, run, t.Context().Done())
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

// A quiet stream has a comment again and again, each so long after what was sent
// last: a proxy counts from that.
func TestQuietStreamHasComments(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := serveIn(t, pauses{35 * time.Second, 9 * time.Second, 9 * time.Second, 14 * time.Second})
		want := []string{
			"events at 0s", "comment at 10s", "comment at 20s", "comment at 30s",
			"events at 35s", "events at 44s", "events at 53s", "comment at 1m3s", "events at 1m7s",
		}
		if !slices.Equal(sent, want) {
			t.Errorf("sent %q\nwant %q", sent, want)
		}
	})
}
