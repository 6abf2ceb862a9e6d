package runs_test

import (
	"context"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
)

// The title model is asked once, after the first exchange; a title that the
// user chose stays.
func TestTitleModel(t *testing.T) {
	t.Parallel()
	service, model := withTools(t, runs.Options{TitleModel: "a/namer"}, nil,
		text("An answer."), text(`"Greetings `, "at large\"\n"), text("Another."))
	session, run := ask(t, service)
	follow(t, run, nil)
	awaitTitle(t, service, session.ID, "Greetings at large")
	if len(model.requests) != 2 || model.requests[1].Model != "a/namer" ||
		model.requests[1].Messages[1].Content != "User:\nhello\n\nAssistant:\nAn answer." {
		t.Errorf("requests %+v", model.requests)
	}
	if _, err := service.Rename(t.Context(), alice, session.ID, "Mine"); err != nil {
		t.Fatal(err)
	}
	next, err := service.StartRun(t.Context(), hello(session.ID))
	if err != nil {
		t.Fatal(err)
	}
	follow(t, next, nil)
	awaitTitle(t, service, session.ID, "Mine")
	if len(model.requests) != 3 {
		t.Errorf("%d requests, want 3", len(model.requests))
	}
}

func awaitTitle(t *testing.T, service *runs.Service, id uuid.UUID, want string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		session, err := service.OpenThread(t.Context(), alice, id)
		if err != nil {
			t.Fatal(err)
		}
		if session.Title == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the title is %q, want %q", session.Title, want)
		}
	}
}

// namer is a model that answers in one way and makes titles in another.
type namer struct {
	answers *steps
	title   func(ctx context.Context) (chat.Chunk, error)
	// asked is what the titles were to be made of.
	mu    sync.Mutex
	asked []string
}

func (n *namer) Stream(ctx context.Context, req chat.ModelRequest) (chat.ModelStream, error) {
	if req.Model != "a/namer" {
		return n.answers.Stream(ctx, req)
	}
	n.mu.Lock()
	n.asked = append(n.asked, req.Messages[1].Content)
	n.mu.Unlock()
	return scriptedStream{ctx, n.title}, nil
}

func (n *namer) wantAsked(t *testing.T, want ...string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.asked, want) {
		t.Errorf("titles were asked of %q, want %q", n.asked, want)
	}
}

// once gives the chunks, one after the other, over all titles.
func once(chunks ...chat.Chunk) func(context.Context) (chat.Chunk, error) {
	var at atomic.Int64
	return func(context.Context) (chat.Chunk, error) {
		n := int(at.Add(1)) - 1
		if n >= len(chunks) {
			return chat.Chunk{}, io.EOF
		}
		return chunks[n], nil
	}
}

func newNamed(t *testing.T, model *namer, answers ...[]chat.Chunk) *runs.Service {
	t.Helper()
	model.answers = &steps{answers: answers}
	service, _ := startOn(t, runs.Options{Store: openStore(t), Model: model, TitleModel: "a/namer"})
	return service
}

// say sends a text and follows its run to the end.
func say(t *testing.T, service *runs.Service, session uuid.UUID, text string) {
	t.Helper()
	request := hello(session)
	request.Content[0].Text = text
	request.ClientTools = []chat.Tool{{Name: "pick"}}
	run, err := service.StartRun(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	follow(t, run, nil)
}

// A first run that failed, or was stopped, is no exchange; the first that
// completes is.
func TestTitleOfTheFirstWholeExchange(t *testing.T) {
	t.Parallel()
	model := &namer{title: once(chat.Chunk{Text: "Rain"})}
	service := newNamed(t, model, nil, text("It rains."), text("Still."))
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	say(t, service, session.ID, "hello") // It has no answer.
	awaitTitle(t, service, session.ID, "hello")
	say(t, service, session.ID, "The weather?")
	awaitTitle(t, service, session.ID, "Rain")
	say(t, service, session.ID, "And now?")
	model.wantAsked(t, "User:\nThe weather?\n\nAssistant:\nIt rains.")
}

// An answer that waits for the page is no exchange, whatever it has said; the
// one after the page's output is.
func TestTitleAfterThePagesTool(t *testing.T) {
	t.Parallel()
	model := &namer{title: once(chat.Chunk{Text: "Colours"})}
	service := newNamed(t, model, append([]chat.Chunk{{Text: "Pick one."}}, calls("pick")...), text("Green."))
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	say(t, service, session.ID, "Which colour?")
	run, err := service.Resume(t.Context(), runs.ResumeRequest{UserID: alice, SessionID: session.ID, Output: []byte(`"green"`)})
	if err != nil {
		t.Fatal(err)
	}
	follow(t, run, nil)
	awaitTitle(t, service, session.ID, "Colours")
	model.wantAsked(t, "User:\nWhich colour?\n\nAssistant:\nGreen.")
}

// While a title is made, no second is, though further exchanges complete. One
// that failed is made of a later exchange; an empty one is not asked for again.
func TestTitleIsMadeOnce(t *testing.T) {
	t.Parallel()
	began, goOn := make(chan struct{}), make(chan error)
	model := &namer{title: func(ctx context.Context) (chat.Chunk, error) {
		select {
		case began <- struct{}{}:
		case <-ctx.Done():
			return chat.Chunk{}, ctx.Err()
		}
		return chat.Chunk{}, <-goOn
	}}
	service := newNamed(t, model, text("Yes."))
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	of := func(question string) string { return "User:\n" + question + "\n\nAssistant:\nYes." }
	say(t, service, session.ID, "one")
	<-began
	say(t, service, session.ID, "two")
	goOn <- &chat.UpstreamError{Kind: chat.UpstreamBusy}
	sayUntil(t, service, session.ID, "three", began) // The failure is noted in the background.
	goOn <- io.EOF
	say(t, service, session.ID, "four")
	if err := service.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	model.wantAsked(t, of("one"), of("three"))
}

// sayUntil sends a text again and again, until that has begun something.
func sayUntil(t *testing.T, service *runs.Service, session uuid.UUID, text string, began <-chan struct{}) {
	t.Helper()
	for range 100 {
		say(t, service, session, text)
		select {
		case <-began:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatalf("%q has begun nothing", text)
}

// A title that a user chose is on one line, as the automatic ones are.
func TestRenameFoldsLines(t *testing.T) {
	t.Parallel()
	service := newService(t, openStore(t), says(end, "Yes."))
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	renamed, err := service.Rename(t.Context(), alice, session.ID, " Spring\r\n\tgarden\u0085")
	if err != nil || renamed.Title != "Spring garden" {
		t.Errorf("the title is %q (%v)", renamed.Title, err)
	}
}
