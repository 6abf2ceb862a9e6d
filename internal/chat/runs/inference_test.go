package runs_test

import (
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
)

func TestModelsThatMayBePicked(t *testing.T) {
	t.Parallel()
	service, model := withTools(t, runs.Options{ModelName: "the/default", Models: []string{"a/model"}}, nil, text("Yes."))
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	for _, pick := range []struct{ name, sent string }{{"", ""}, {"a/model", "a/model"}, {"the/default", "the/default"}} {
		request := hello(session.ID)
		request.Inference.Model = pick.name
		run, err := service.StartRun(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		follow(t, run, nil)
		if sent := model.requests[len(model.requests)-1].Model; sent != pick.sent {
			t.Errorf("%q was asked as %q", pick.name, sent)
		}
	}
	request := hello(session.ID)
	request.Inference.Model = "another/model"
	if _, err := service.StartRun(t.Context(), request); chat.CodeOf(err) != chat.CodeInvalidRequest {
		t.Errorf("a model that is not offered: %v", err)
	}
	request.Inference = chat.Inference{ToolChoice: "nothing"}
	if _, err := service.StartRun(t.Context(), request); chat.CodeOf(err) != chat.CodeInvalidRequest {
		t.Errorf("a tool that is not offered: %v", err)
	}
}

// Retry answers the same message with the history before it alone.
func TestRetry(t *testing.T) {
	t.Parallel()
	service, model := withTools(t, runs.Options{}, nil, text("First."), text("Second."))
	session, run := ask(t, service)
	events := follow(t, run, nil)
	question := events[0].(chat.ItemDone).Item
	run, err := service.Retry(t.Context(), runs.RetryRequest{UserID: alice, SessionID: session.ID, ItemID: question.ID})
	if err != nil {
		t.Fatal(err)
	}
	wantSequence(t, follow(t, run, nil), "added assistant_message", "delta Second.", "part done Second.", "done assistant_message")
	if sent := model.requests[1].Messages; len(sent) != 1 || sent[0].Content != "hello" {
		t.Errorf("the model was sent %+v", sent)
	}
	wantHistory(t, service, session.ID, "user_message: hello", "assistant_message: Second.")
}

// Tags, client tools and tool outputs are bounded as a message is.
func TestPageInputIsBounded(t *testing.T) {
	t.Parallel()
	service, model := withTools(t, runs.Options{}, nil, text("Yes."))
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	long := []byte(`"` + strings.Repeat("a", 70_000) + `"`)
	tagged := hello(session.ID)
	tagged.Content = []chat.Content{{Type: chat.ContentInputTag, Text: "a", Tag: &chat.Tag{ID: "1", Data: long}}}
	if _, err := service.StartRun(t.Context(), tagged); chat.CodeOf(err) != chat.CodeMessageTooLong {
		t.Errorf("a tag of 70,000 bytes: %v", err)
	}
	offering := hello(session.ID)
	offering.ClientTools = []chat.Tool{{Name: "a", Parameters: long}}
	if _, err := service.StartRun(t.Context(), offering); chat.CodeOf(err) != chat.CodeInvalidRequest {
		t.Errorf("a tool of 70,000 bytes: %v", err)
	}
	resume := runs.ResumeRequest{UserID: alice, SessionID: session.ID, Output: long}
	if _, err := service.Resume(t.Context(), resume); chat.CodeOf(err) != chat.CodeInvalidRequest {
		t.Errorf("an output of 70,000 bytes: %v", err)
	}
	if len(model.requests) != 0 {
		t.Errorf("%d requests", len(model.requests))
	}
}

// A retry keeps the tool that the user chose.
func TestRetryKeepsTheChosenTool(t *testing.T) {
	t.Parallel()
	service, model := withTools(t, runs.Options{}, toolbox{"look": gives("seen")}, text("First."), text("Second."))
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	request := hello(session.ID)
	request.Inference.ToolChoice = "look"
	run, err := service.StartRun(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	question := follow(t, run, nil)[0].(chat.ItemDone).Item
	run, err = service.Retry(t.Context(), runs.RetryRequest{UserID: alice, SessionID: session.ID, ItemID: question.ID})
	if err != nil {
		t.Fatal(err)
	}
	follow(t, run, nil)
	for n, sent := range model.requests {
		if sent.ToolChoice != "look" {
			t.Errorf("request %d chose %q", n, sent.ToolChoice)
		}
	}
}
