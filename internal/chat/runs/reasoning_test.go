package runs_test

import (
	"slices"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
)

// What the model thinks is a workflow that ends when the answer begins; a later
// thought comes whole.
func TestThinking(t *testing.T) {
	t.Parallel()
	first := append([]chat.Chunk{{Reasoning: "Two"}, {Reasoning: " and two"}}, calls("count")...)
	second := append([]chat.Chunk{{Reasoning: "So "}, {Reasoning: "four"}}, text("Four.")...)
	service, _ := withTools(t, runs.Options{}, toolbox{"count": gives("4")}, first, second)
	session, run := ask(t, service)
	wantSequence(t, follow(t, run, nil),
		"done user_message", "added workflow", "thought Two", "thought is Two and two", "thought is Two and two",
		"progress Using count …", "thought So four", "done workflow",
		"added assistant_message", "delta Four.", "part done Four.", "done assistant_message")
	page, err := service.Items(t.Context(), alice, session.ID, chat.ItemQuery{Limit: 10, Ascending: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Items) != 3 || !slices.Equal(page.Items[1].Workflow.Thoughts, []string{"Two and two", "So four"}) {
		t.Errorf("items %+v", page.Items)
	}
}

// Reasoning before a call of a client tool continues in the same workflow after its
// output.
func TestThinkingGoesOnAfterAClientTool(t *testing.T) {
	t.Parallel()
	page := []chat.Tool{{Name: "pick"}}
	service, _ := withTools(t, runs.Options{}, nil, append([]chat.Chunk{{Reasoning: "They want one."}}, calls("pick")...),
		append([]chat.Chunk{{Reasoning: "Green"}}, text("Green.")...))
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	request := hello(session.ID)
	request.ClientTools = page
	run, err := service.StartRun(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	wantSequence(t, follow(t, run, nil), "done user_message", "added workflow", "thought They want one.",
		"thought is They want one.", "done client_tool_call")
	run, err = service.Resume(t.Context(), runs.ResumeRequest{UserID: alice, SessionID: session.ID, Output: []byte("1")})
	if err != nil {
		t.Fatal(err)
	}
	wantSequence(t, follow(t, run, nil), "thought Green", "done workflow", "added assistant_message", "delta Green.",
		"part done Green.", "done assistant_message")
	items := itemsOf(t, service, session.ID)
	if len(items) != 4 || !items[1].Workflow.Done ||
		!slices.Equal(items[1].Workflow.Thoughts, []string{"They want one.", "Green"}) {
		t.Errorf("items %+v", items)
	}
}

// Sources come with the message they are of.
func TestSources(t *testing.T) {
	t.Parallel()
	source := chat.Annotation{URL: "https://example.com/", Title: "A page"}
	service, _ := withTools(t, runs.Options{}, nil, append([]chat.Chunk{{Annotations: []chat.Annotation{source}}}, text("See it.")...))
	session, run := ask(t, service)
	follow(t, run, nil)
	items := itemsOf(t, service, session.ID)
	if len(items) != 2 || !slices.Equal(items[1].Content[0].Annotations, []chat.Annotation{source}) {
		t.Errorf("items %+v", items)
	}
}

// A long thought is not sent again with each of its deltas.
func TestThoughtsAreToldInBoundedBytes(t *testing.T) {
	t.Parallel()
	var chunks []chat.Chunk
	for range 10_000 {
		chunks = append(chunks, chat.Chunk{Reasoning: "a piece of it "})
	}
	service, _ := withTools(t, runs.Options{}, nil, append(chunks, text("Done.")...))
	_, run := ask(t, service)
	told, whole := 0, 10_000*len("a piece of it ")
	for _, event := range follow(t, run, nil) {
		if thought, ok := event.(chat.ThoughtUpdated); ok {
			told += len(thought.Text)
		}
	}
	if told < whole || told > 30*whole {
		t.Errorf("a thought of %d bytes was told in %d", whole, told)
	}
}
