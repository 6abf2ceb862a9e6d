package runs_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// TestCancelRunWaitsForTheStore checks that CancelRun returns when the end of the
// run is stored, and not before.
func TestCancelRunWaitsForTheStore(t *testing.T) {
	t.Parallel()
	finishing, release := make(chan struct{}), make(chan struct{})
	hooks := &storeHooks{Store: openStore(t)}
	hooks.finish = func(_ chat.Run, _ []chat.Item, store finishFunc) (chat.Session, error) {
		close(finishing)
		<-release
		return store()
	}
	service := newService(t, hooks, says(untilCancelled, "It begins"))
	session, run := ask(t, service)

	cancelled := make(chan chat.Run, 1)
	go func() {
		ended, err := service.CancelRun(t.Context(), chat.RunRef{UserID: alice, SessionID: session.ID, RunID: run.ID})
		if err != nil {
			t.Error(err)
		}
		cancelled <- ended
	}()
	<-finishing
	select {
	case <-cancelled:
		t.Error("CancelRun returned before the end was stored")
	default:
	}
	close(release)
	if ended := <-cancelled; ended.Status != chat.RunCancelled || ended.FailureCode != chat.FailureCancelled {
		t.Errorf("the run is %s, code %q", ended.Status, ended.FailureCode)
	}
}

// TestCancelRunOfAnotherUser checks that a user cancels no run of another one in
// this process.
func TestCancelRunOfAnotherUser(t *testing.T) {
	t.Parallel()
	service := newService(t, openStore(t), says(untilCancelled, "It begins"))
	session, run := ask(t, service)
	for name, test := range map[string]struct {
		ref  chat.RunRef
		code chat.Code
	}{
		"another user": {chat.RunRef{UserID: "bob", SessionID: session.ID, RunID: run.ID}, chat.CodeForbidden},
		"another run":  {chat.RunRef{UserID: alice, SessionID: session.ID, RunID: uuid.New()}, chat.CodeRunNotFound},
	} {
		if _, err := service.CancelRun(t.Context(), test.ref); chat.CodeOf(err) != test.code {
			t.Errorf("%s: %v, want %s", name, err, test.code)
		}
	}
	if got, err := service.Run(t.Context(), chat.RunRef{UserID: alice, SessionID: session.ID, RunID: run.ID}); err != nil ||
		got.Status != chat.RunRunning {
		t.Errorf("the run is %s, error %v", got.Status, err)
	}
}
