package runs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
)

// A run that a fault of this server ends has failed: the history does not say
// that the user cancelled it.
func TestFaultIsNoCancellation(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]struct {
		stop   func(*runs.ActiveRun)
		status chat.RunStatus
		code   chat.FailureCode
		items  int
	}{
		"fault":       {func(r *runs.ActiveRun) { r.Fail(errors.New("no JSON")) }, chat.RunFailed, chat.FailureInternal, 2},
		"internal":    {func(r *runs.ActiveRun) { r.Cancel(chat.FailureInternal) }, chat.RunFailed, chat.FailureInternal, 2},
		"unavailable": {func(r *runs.ActiveRun) { r.Cancel(chat.FailureUnavailable) }, chat.RunFailed, chat.FailureUnavailable, 2},
		"client left": {func(r *runs.ActiveRun) { r.Cancel(chat.FailureClientLeft) }, chat.RunCancelled, chat.FailureClientLeft, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			observer := &testObserver{}
			service, _ := startOn(t, runs.Options{Store: openStore(t), Model: says(untilCancelled, "half"), Observer: observer})
			session, run := ask(t, service)
			follow(t, run, isDelta)
			stop.stop(run)
			follow(t, run, nil)
			if ended := observer.lastRun(); ended.Status != stop.status || ended.FailureCode != stop.code {
				t.Errorf("the run ended as %s, %s", ended.Status, ended.FailureCode)
			}
			if items := itemsOf(t, service, session.ID); len(items) != stop.items {
				t.Errorf("the thread has %d items, want %d", len(items), stop.items)
			}
		})
	}
}

// A run that takes longer than Limits.RunTime has failed, and is told so.
func TestRunTimeIsLimited(t *testing.T) {
	t.Parallel()
	observer := &testObserver{}
	service, _ := startOn(t, runs.Options{
		Store: openStore(t), Model: says(untilCancelled), Observer: observer,
		Limits: runs.Limits{RunTime: time.Millisecond},
	})
	_, run := ask(t, service)
	if event := failed(t, follow(t, run, nil)); !event.AllowRetry || !strings.Contains(event.Message, "longer than this server allows") {
		t.Errorf("the run ended with %+v", event)
	}
	if ended := observer.lastRun(); ended.Status != chat.RunFailed || ended.FailureCode != chat.FailureTimeLimit {
		t.Errorf("the run ended as %s, %s", ended.Status, ended.FailureCode)
	}
}

// An answer that the store refuses for good is not tried again: it ends as a
// failed run, and its thread takes the next message.
func TestAnswerThatCannotBeStored(t *testing.T) {
	t.Parallel()
	db := &storeHooks{Store: openStore(t)}
	tries := 0
	db.finish = func(run chat.Run, items []chat.Item, store finishFunc) (chat.Session, error) {
		if len(items) > 0 && run.Status == chat.RunCompleted {
			tries++
			return chat.Session{}, errors.New("value too long")
		}
		return store()
	}
	service, _ := startOn(t, runs.Options{Store: db, Model: says(end, "an answer")})
	session, run := ask(t, service)
	if event := failed(t, follow(t, run, nil)); !event.AllowRetry {
		t.Errorf("the run ended with %+v", event)
	}
	if tries != 1 {
		t.Errorf("the answer was tried %d times, want once", tries)
	}
	if _, err := service.StartRun(t.Context(), hello(session.ID)); err != nil {
		t.Errorf("the next message: %v", err)
	}
}

// A title that the store refuses for good is not tried again, and the server
// can stop.
func TestTitleThatCannotBeStored(t *testing.T) {
	t.Parallel()
	db, tries := &storeHooks{Store: openStore(t)}, 0
	db.finishTitle = func() error {
		tries++
		return errors.New("value too long")
	}
	service, _ := startOn(t, runs.Options{
		Store: db, TitleModel: "a/namer", Model: &steps{answers: [][]chat.Chunk{text("An answer."), text("A title")}},
	})
	_, run := ask(t, service)
	follow(t, run, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := service.Shutdown(ctx); err != nil || tries != 1 {
		t.Errorf("Shutdown: %v after %d tries, want one", err, tries)
	}
}

// The row of a run names the model that its message asks for, from its start.
func TestRunNamesTheModelAskedFor(t *testing.T) {
	t.Parallel()
	eachStart(t, func(t *testing.T, f *startFixture) {
		t.Helper()
		stored := ""
		f.db.start = afterStart(func() error {
			stored = runningModel(t, f.path)
			return nil
		})
		run, err := f.start()
		if err != nil {
			t.Fatal(err)
		}
		follow(t, run, nil)
		if stored != "the/other" {
			t.Errorf("the run is stored with the model %q", stored)
		}
	})
}
