package runs_test

import (
	"errors"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
)

// savingResults is a service with a tool whose store calls saving before it
// saves a result.
func savingResults(t *testing.T, model chat.Model, saving func() error) *runs.Service {
	t.Helper()
	service, _ := startOn(t, runs.Options{
		Store: &storeHooks{Store: openStore(t), saveItem: saving}, Model: model, Tools: toolbox{"add": gives("added")},
	})
	return service
}

// A run that waits for the database is cancelled at once, and the results are
// saved with its end.
func TestCancelWhileResultsWait(t *testing.T) {
	t.Parallel()
	waits := make(chan struct{}, 100)
	failures := 3
	service := savingResults(t, &steps{answers: [][]chat.Chunk{calls("add"), text("Never said.")}}, func() error {
		waits <- struct{}{}
		if failures--; failures >= 0 {
			return chat.ErrStoreUnavailable(errors.New("away"))
		}
		return nil
	})
	session, run := ask(t, service)
	<-waits
	run.Cancel(chat.FailureClientLeft)
	follow(t, run, nil)
	items := itemsOf(t, service, session.ID)
	if len(items) != 3 || items[1].ToolCalls[0].Result == nil || items[2].Type != chat.ItemHiddenContext {
		t.Errorf("items %+v", items)
	}
}

// Results that the database refuses end their run only: later requests tell the
// model that there are none.
func TestResultsThatAreRefused(t *testing.T) {
	t.Parallel()
	model := &steps{answers: [][]chat.Chunk{calls("add"), text("Well.")}}
	service := savingResults(t, model, func() error { return errors.New("it cannot be stored") })
	session, run := ask(t, service)
	failed(t, follow(t, run, nil))
	next, err := service.StartRun(t.Context(), hello(session.ID))
	if err != nil {
		t.Fatal(err)
	}
	follow(t, next, nil)
	sent := model.requests[1].Messages
	if len(sent) != 4 || sent[2].Role != chat.RoleTool || sent[2].ToolCallID != "call add" || sent[2].Content == "" {
		t.Errorf("the model was sent %+v", sent)
	}
}
