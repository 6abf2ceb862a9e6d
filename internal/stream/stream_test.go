package stream

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
	"github.com/chatkit-rest/chatkit-rest/internal/eventlog"
	"github.com/chatkit-rest/chatkit-rest/internal/sse"
)

// brokenWriter is a connection whose writes fail.
type brokenWriter struct{ *httptest.ResponseRecorder }

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// serveFailing serves a run that fails because the model sends no answer.
func serveFailing(t *testing.T, failed func(chat.Failed) any, client http.ResponseWriter) error {
	t.Helper()
	service := runs.NewService(runs.Options{
		Store: discardStore{}, Log: eventlog.NewMemory(eventlog.Options{}), Model: pacedModel{}, Limits: runs.Limits{MessageChars: 500, HistoryMessages: 40, HistoryChars: 32000},
	})
	session := uuid.New()
	run, err := service.StartRun(t.Context(), runs.RunRequest{
		UserID: "alice", SessionID: session, ThreadID: session,
		Content: []chat.Content{{Type: chat.ContentInputText, Text: "hello"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{WriteTimeout: time.Minute, KeepAlive: sse.KeepAlive, Failed: failed}
	stream, err := New(o, run.ID, run.Follow(0), t.Context().Done())
	if err != nil {
		t.Fatal(err)
	}
	err = stream.Serve(client)
	if err := service.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	return err
}

// TestServeErrors checks that Serve returns ErrDisconnected if a write fails, and that
// an event which cannot be encoded is another error, of which the client is notified.
func TestServeErrors(t *testing.T) {
	t.Parallel()
	message := func(failed chat.Failed) any { return failed.Message }
	err := serveFailing(t, message, brokenWriter{httptest.NewRecorder()})
	if !errors.Is(err, ErrDisconnected) {
		t.Errorf("with failing writes Serve returns %v", err)
	}
	first := true
	client := httptest.NewRecorder()
	err = serveFailing(t, func(failed chat.Failed) any {
		if first {
			first = false
			return func() {} // It cannot be encoded.
		}
		return failed.Message
	}, client)
	if err == nil || errors.Is(err, ErrDisconnected) {
		t.Errorf("with an event that cannot be encoded Serve returns %v", err)
	}
	if body := client.Body.String(); !strings.HasSuffix(body, "\n\ndata: \"The answer could not be sent; try again.\"\n\n") {
		t.Errorf("the client is sent %q", body)
	}
}
