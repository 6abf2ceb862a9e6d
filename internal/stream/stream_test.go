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

// brokenWriter is a connection that takes nothing.
type brokenWriter struct{ *httptest.ResponseRecorder }

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// serveFailing serves a run without an answer, which fails, to a client.
func serveFailing(t *testing.T, failed func(chat.Failed) any, client http.ResponseWriter) error {
	t.Helper()
	service := runs.NewService(runs.Options{
		Store: nowhere{}, Log: eventlog.NewMemory(eventlog.Options{}), Model: pauses{}, Limits: runs.Limits{MessageChars: 500, HistoryMessages: 40, HistoryChars: 32000},
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
	stream, err := New(o, run, t.Context().Done())
	if err != nil {
		t.Fatal(err)
	}
	err = stream.Serve(client)
	if err := service.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	return err
}

// Only a client that takes nothing counts as disconnected. An event that this
// server cannot encode is its own fault, and the client is told so.
func TestServeTellsDisconnectionFromFault(t *testing.T) {
	t.Parallel()
	message := func(failed chat.Failed) any { return failed.Message }
	err := serveFailing(t, message, brokenWriter{httptest.NewRecorder()})
	if !errors.Is(err, ErrDisconnected) {
		t.Errorf("with a connection that takes nothing Serve returns %v", err)
	}
	first := true
	client := httptest.NewRecorder()
	err = serveFailing(t, func(failed chat.Failed) any {
		if first {
			first = false
			return func() {} // It has no JSON.
		}
		return failed.Message
	}, client)
	if err == nil || errors.Is(err, ErrDisconnected) {
		t.Errorf("with an event that has no JSON Serve returns %v", err)
	}
	if body := client.Body.String(); !strings.HasSuffix(body, "data: \"The answer could not be sent; try again.\"\n\n") {
		t.Errorf("the client is sent %q", body)
	}
}
