package runs_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// stopBound is how long the model may be asked after a cancel on a busy machine.
// The test logs how long it was; it should be below 100 ms.
const stopBound = 5 * time.Second

// wantCancelled fails the test unless the run was cancelled by its user.
func wantCancelled(t *testing.T, run client.Run) {
	t.Helper()
	if run.Status != client.RunStatusCancelled || run.EndedAt == nil || run.Error == nil ||
		run.Error.Code != "cancelled" || run.Error.Message == "" {
		t.Errorf("the run is %+v, error %+v", run, run.Error)
	}
}

// TestCancel cancels a run from a second connection while two clients follow it.
// The part of the answer is kept before the next message.
func TestCancel(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		server := harness.Start(t, harness.Options{Database: database})
		user := server.User(t)
		session := user.CreateSession()
		run, begun, _ := startPaused(t, server, user, session)
		follower := user.Follow(session, run.ID, 0)
		asked := server.Upstream.Await(t, t.Name()+session.String())

		begin := time.Now()
		disconnected := make(chan time.Duration, 1)
		go func() {
			<-asked.Done()
			disconnected <- time.Since(begin)
		}()
		wantCancelled(t, user.CancelRun(session, run.ID))
		user.Say(session, "And then?")

		took := <-disconnected
		t.Logf("upstream's connection was closed %.1f ms after the cancel", float64(took.Microseconds())/1000)
		if took > stopBound {
			t.Errorf("upstream's connection was closed after %s", took)
		}
		all := slices.Concat(begun, run.All())
		wantFailure(t, all, "The run was cancelled.")
		wantSame(t, "the follower", follower.All(), all)
		want := []string{"One two ", "And then?", "Hello from the model."}
		for n, message := range user.Session(session).Messages[1:] {
			if text, err := message.Content[0].AsOutputTextContent(); err != nil || text.Text != want[n] {
				t.Errorf("message %d is %q, want %q", n+1, text.Text, want[n])
			}
		}
		told := server.Upstream.Await(t, "And then?").Body.Messages
		if !slices.ContainsFunc(told, func(m harness.ChatMessage) bool {
			return strings.Contains(m.Content, "The user cancelled the stream.")
		}) {
			t.Errorf("the model is not told of the stop: %+v", told)
		}
		wantCancelled(t, user.CancelRun(session, run.ID))
		wantCancelled(t, user.GetRun(session, run.ID))
	})
}

// TestCancelBeforeFirstByte cancels a run whose model has not begun to answer. The
// request that started the run gets a stream that says so.
func TestCancelBeforeFirstByte(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Database: harness.SQLite})
	user := server.User(t)
	session := user.CreateSession()
	server.Upstream.Answer("Hello", harness.Script{harness.Hang()})
	started := make(chan []harness.Event, 1)
	go func() { started <- user.Say(session, "Hello") }()
	server.Upstream.Await(t, "Hello")
	active := user.Session(session).ActiveRun
	if active == nil {
		t.Fatal("no run is active")
	}
	wantCancelled(t, user.CancelRun(session, active.ID.String()))
	wantFailure(t, <-started, "The run was cancelled.")
}

// TestCancelOfEndedRun checks that a run which has ended is returned as it is.
func TestCancelOfEndedRun(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Database: harness.SQLite})
	user := server.User(t)
	session := user.CreateSession()
	run := user.StartRun(session, "Hello")
	run.All()
	if ended := user.CancelRun(session, run.ID); ended.Status != client.RunStatusCompleted || ended.Error != nil {
		t.Errorf("the run is %+v", ended)
	}
}

// TestCancelAtOnce cancels a run from many connections at the same time.
func TestCancelAtOnce(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Database: harness.SQLite})
	user := server.User(t)
	session := user.CreateSession()
	run, _, _ := startPaused(t, server, user, session)
	const times = 10
	answers := make(chan *client.CancelRunResponse, times)
	for range times {
		go func() {
			answer, err := user.API.CancelRunWithResponse(user.Context(), session, session, uuid.MustParse(run.ID))
			if err != nil {
				t.Error(err)
			}
			answers <- answer
		}()
	}
	for range times {
		if answer := <-answers; answer == nil || answer.JSON200 == nil {
			t.Errorf("an answer is %v", answer)
		} else {
			wantCancelled(t, answer.JSON200.Data)
		}
	}
}
