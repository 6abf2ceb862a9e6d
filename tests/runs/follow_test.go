package runs_test

import (
	"net/http"
	"reflect"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// The numbers of events of the run that these tests follow: the user message, the
// stream options, the answer's start, its part's start, and then a delta each.
const (
	beforeText  = 4
	firstDeltas = beforeText + 2
)

// startPaused starts a run that sends two deltas, and two more after goOn is closed.
func startPaused(t *testing.T, server *harness.Server, user *harness.User, session uuid.UUID) (run *harness.Run, begun []harness.Event, goOn chan struct{}) {
	t.Helper()
	goOn = make(chan struct{})
	question := t.Name() + session.String()
	server.Upstream.Answer(question, harness.Script{
		harness.Text("One "), harness.Text("two "), harness.Wait(goOn), harness.Text("three "), harness.Text("four."),
		harness.Finish("stop"), harness.Usage(12, 4, 0.000125), harness.Done(),
	})
	run = user.StartRun(session, question)
	for len(begun) < firstDeltas {
		event, ok := run.Next()
		if !ok {
			t.Fatalf("the stream ended after %v", harness.Types(begun))
		}
		begun = append(begun, event)
	}
	return run, begun, goOn
}

// TestFollowJoinsAnywhere follows a run from each place, while it is in progress
// and after it has ended. A follower gets what came after the place, once and in
// order.
func TestFollowJoinsAnywhere(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		server := harness.Start(t, harness.Options{Database: database})
		user := server.User(t)
		session := user.CreateSession()
		run, begun, goOn := startPaused(t, server, user, session)

		places := []int{0, 1, beforeText, beforeText + 1, firstDeltas, firstDeltas + 1, firstDeltas + 2}
		followers := make([]*harness.Run, len(places))
		for n, after := range places {
			followers[n] = user.Follow(session, run.ID, after)
		}
		future := user.Follow(session, run.ID, 1000)
		close(goOn)
		all := slices.Concat(begun, run.All())
		for n, after := range places {
			wantSame(t, "a follower of the live run", followers[n].All(), all[after:])
		}
		done := all[len(all)-1:]
		wantSame(t, "a follower from a number that the run does not reach", future.All(), done)
		for after := range len(all) + 1 {
			wantSame(t, "a follower of the ended run", user.Follow(session, run.ID, after).All(), all[min(after, len(all)-1):])
		}
		wantSame(t, "a follower from far past the end", user.Follow(session, run.ID, 1_000_000).All(), done)
		wantSame(t, "a follower that reconnects", user.FollowFrom(session, run.ID, beforeText, 1).All(), all[beforeText:])
	})
}

// TestFollowFromNumberToCome waits for the events after a number that the run has
// not reached yet.
func TestFollowFromNumberToCome(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Database: harness.SQLite})
	user := server.User(t)
	session := user.CreateSession()
	run, begun, goOn := startPaused(t, server, user, session)
	follower := user.Follow(session, run.ID, firstDeltas+1)
	close(goOn)
	all := slices.Concat(begun, run.All())
	wantSame(t, "the follower", follower.All(), all[firstDeltas+1:])
}

// TestFollowBeforeFirstByte follows a run whose model has not begun to answer.
func TestFollowBeforeFirstByte(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Database: harness.SQLite})
	user := server.User(t)
	session := user.CreateSession()
	goOn := make(chan struct{})
	server.Upstream.Answer("Hello", append(harness.Script{harness.Wait(goOn)}, harness.DefaultScript()...))
	started := make(chan []harness.Event, 1)
	go func() { started <- user.Say(session, "Hello") }()
	server.Upstream.Await(t, "Hello")

	active := user.Session(session).ActiveRun
	if active == nil || active.Status != client.RunStatusRunning {
		t.Fatalf("the active run is %v", active)
	}
	follower := user.Follow(session, active.ID.String(), 0)
	begun := follower.Until("stream_options")
	later := user.Follow(session, active.ID.String(), 2)
	close(goOn)
	all := <-started
	wantSame(t, "the follower", append(begun, follower.All()...), all)
	wantSame(t, "the follower of what is to come", later.All(), all[2:])
}

// TestReload reads a session in mid answer and follows its active run, as a page
// that was reloaded does: the history has the question, and the stream has each
// event once.
func TestReload(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		server := harness.Start(t, harness.Options{Database: database})
		user := server.User(t)
		session := user.CreateSession()
		run, begun, goOn := startPaused(t, server, user, session)

		found := user.Session(session)
		if found.ActiveRun == nil || found.ActiveRun.ID.String() != run.ID || len(found.Messages) != 1 {
			t.Fatalf("the session has the active run %v and %d messages", found.ActiveRun, len(found.Messages))
		}
		other := user.Do(harness.Request{
			Method: http.MethodPost, Path: harness.RunsPath(session, session), Body: jsonBody(t, harness.MessageBody("And?")),
		})
		if other.Code() != "RUN_IN_PROGRESS" || runIDOf(t, other) != run.ID {
			t.Errorf("another message is answered %d %s", other.Status, other.Body)
		}
		follower := user.Follow(session, run.ID, 0)
		close(goOn)
		all := slices.Concat(begun, run.All())
		wantSame(t, "the page", follower.All(), all)
		if found = user.Session(session); found.ActiveRun != nil || len(found.Messages) != 2 {
			t.Errorf("after the end the session has the active run %v and %d messages", found.ActiveRun, len(found.Messages))
		}
	})
}

// TestRunsAreListed checks what listRuns and getRun tell of runs, page by page.
func TestRunsAreListed(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		server := harness.Start(t, harness.Options{Database: database})
		user := server.User(t)
		session := user.CreateSession()
		var ids []string
		for range 3 {
			run := user.StartRun(session, "Hello")
			run.All()
			ids = append([]string{run.ID}, ids...)
		}
		var listed []string
		limit := 2
		params := &client.ListRunsParams{Limit: &limit}
		for more := true; more; {
			answer, err := user.API.ListRunsWithResponse(user.Context(), session, session, params)
			if err != nil || answer.JSON200 == nil {
				t.Fatalf("list runs: %v, %s", err, answer.Body)
			}
			for _, run := range answer.JSON200.Data {
				listed = append(listed, run.ID.String())
			}
			more, params.After = answer.JSON200.Meta.HasMore, answer.JSON200.Meta.After
		}
		if !slices.Equal(listed, ids) {
			t.Errorf("listed %q, want %q", listed, ids)
		}
		wantCompleted(t, user.GetRun(session, ids[0]))
	})
}

// wantCompleted fails the test unless the run answered with harness.DefaultScript.
func wantCompleted(t *testing.T, run client.Run) {
	t.Helper()
	finish, cost := client.RunFinishReasonStop, 0.000125
	want := client.Run{
		ID: run.ID, SessionID: run.SessionID, Status: client.RunStatusCompleted, Model: "test/model",
		StartedAt: run.StartedAt, FirstTokenAt: run.FirstTokenAt, EndedAt: run.EndedAt, FinishReason: &finish,
		Usage: client.RunUsage{InputTokens: 12, OutputTokens: 4}, Cost: &cost,
	}
	if !reflect.DeepEqual(run, want) || run.FirstTokenAt == nil || run.EndedAt == nil {
		t.Errorf("the run is %+v", run)
	}
}
