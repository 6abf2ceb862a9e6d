package contract_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// Types of a run's events, as harness.Types returns them.
const (
	itemDone      = "thread.item.done"
	itemAdded     = "thread.item.added"
	partAdded     = "thread.item.updated assistant_message.content_part.added"
	textDelta     = "thread.item.updated assistant_message.content_part.text_delta"
	partDone      = "thread.item.updated assistant_message.content_part.done"
	threadUpdated = "thread.updated"
	streamOptions = "stream_options"
	done          = "[DONE]"
)

// TestRuns tests a run and its stream.
func TestRuns(t *testing.T) {
	t.Parallel()
	suite(t, nil, map[string]check{
		"run stream":      runStream,
		"run title once":  runTitleOnce,
		"events at once":  eventsSentAtOnce,
		"run in progress": runInProgress,
		"concurrent runs": concurrentRuns,
	})
}

// runStream checks the whole stream, event by event and field by field.
func runStream(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	session := alice.CreateSession()
	run := alice.StartRun(session, "Put this in plain words: ", "a UUID.")
	if _, err := uuid.Parse(run.ID); err != nil {
		t.Errorf("X-Run-Id is %q", run.ID)
	}
	if media := run.Header.Get("Content-Type"); !strings.HasPrefix(media, "text/event-stream") {
		t.Errorf("Content-Type is %q", media)
	}
	events := run.All()
	want := []string{
		itemDone, streamOptions, itemAdded, partAdded, textDelta, textDelta, textDelta, textDelta, partDone, itemDone,
		threadUpdated, done,
	}
	if got := harness.Types(events); !slices.Equal(got, want) {
		t.Fatalf("the events are\n%q, want\n%q", got, want)
	}
	stored := alice.Session(session)
	ids := wireIDs{
		"SESSION": session.String(), "USER": stored.Messages[0].ID.String(), "ANSWER": stored.Messages[1].ID.String(),
	}
	times := wireIDs{
		"CREATED": jsonTime(t, stored.CreatedAt), "ASKED": jsonTime(t, stored.Messages[0].CreatedAt),
		"ANSWERED": jsonTime(t, stored.Messages[1].CreatedAt),
	}
	for n, line := range wireEvents() {
		if want := times.fill(ids.fill(line)); events[n].Raw != want {
			t.Errorf("event %d is\n%s, want\n%s", n, events[n].Raw, want)
		}
	}
}

// wireEvents returns the events as the openai-chatkit Python package writes
// them, with its fields in its order.
func wireEvents() []string {
	delta := func(text string) string {
		return `{"type":"thread.item.updated","item_id":"ANSWER","update":` +
			`{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":"` + text + `"}}`
	}
	return []string{
		`{"type":"thread.item.done","item":{"id":"USER","thread_id":"SESSION","created_at":"ASKED","type":"user_message",` +
			`"content":[{"type":"input_text","text":"Put this in plain words: "},{"type":"input_text","text":"a UUID."}],` +
			`"attachments":[],"inference_options":{}}}`,
		`{"type":"stream_options","stream_options":{"allow_cancel":true}}`,
		`{"type":"thread.item.added","item":{"id":"ANSWER","thread_id":"SESSION","created_at":"ANSWERED",` +
			`"type":"assistant_message","content":[]}}`,
		`{"type":"thread.item.updated","item_id":"ANSWER","update":{"type":"assistant_message.content_part.added",` +
			`"content_index":0,"content":{"annotations":[],"text":"","type":"output_text"}}}`,
		delta("Hello"), delta(" from"), delta(" the"), delta(" model."),
		`{"type":"thread.item.updated","item_id":"ANSWER","update":{"type":"assistant_message.content_part.done",` +
			`"content_index":0,"content":{"annotations":[],"text":"Hello from the model.","type":"output_text"}}}`,
		`{"type":"thread.item.done","item":{"id":"ANSWER","thread_id":"SESSION","created_at":"ANSWERED",` +
			`"type":"assistant_message","content":[{"annotations":[],"text":"Hello from the model.","type":"output_text"}]}}`,
		`{"type":"thread.updated","thread":{"title":"Put this in plain words: a UUID.","id":"SESSION","created_at":"CREATED",` +
			`"status":{"type":"active"},"metadata":{},"items":{"data":[],"has_more":false}}}`,
		`[DONE]`,
	}
}

// runTitleOnce checks that thread.updated is sent only when the title changed.
func runTitleOnce(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	session := alice.CreateSession()
	first, second := alice.Say(session, "One"), alice.Say(session, "Two")
	if got := harness.Types(first); got[len(got)-2] != threadUpdated {
		t.Errorf("the first run has the events %q", got)
	}
	want := []string{
		itemDone, streamOptions, itemAdded, partAdded, textDelta, textDelta, textDelta, textDelta, partDone, itemDone, done,
	}
	if got := harness.Types(second); !slices.Equal(got, want) {
		t.Errorf("the second run has the events\n%q, want\n%q", got, want)
	}
}

// eventsSentAtOnce checks that each event is sent at once and that what it shows is
// stored before.
func eventsSentAtOnce(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	session := alice.CreateSession()
	gates := []chan struct{}{make(chan struct{}), make(chan struct{}), make(chan struct{})}
	server.Upstream.Answer("Slowly", harness.Script{
		harness.Comment("OPENROUTER PROCESSING"), harness.Wait(gates[0]), harness.Text("One"),
		harness.Wait(gates[1]), harness.Text(" two"), harness.Wait(gates[2]),
		harness.Finish("stop"), harness.Done(),
	})
	run := alice.StartRun(session, "Slowly")
	run.Until(streamOptions)
	if messages := alice.Session(session).Messages; len(messages) != 1 {
		t.Errorf("the user's message was sent; the history has %d messages", len(messages))
	}
	if title := alice.Sessions().Data[0].Title; title == nil || *title != "Slowly" {
		t.Errorf("the user's message was sent; the title is %v", title)
	}
	close(gates[0])
	run.Until(itemAdded)
	expect(t, run, partAdded)
	expect(t, run, textDelta)
	close(gates[1])
	expect(t, run, textDelta)
	close(gates[2])
	expect(t, run, partDone)
	expect(t, run, itemDone)
	if messages := alice.Session(session).Messages; len(messages) != 2 {
		t.Errorf("the answer was sent; the history has %d messages", len(messages))
	}
	expect(t, run, threadUpdated)
	expect(t, run, done)
}

// expect reads one event and checks its type.
func expect(t *testing.T, run *harness.Run, eventType string) {
	t.Helper()
	event, ok := run.Next()
	if got := harness.Types([]harness.Event{event})[0]; !ok || got != eventType {
		t.Fatalf("the next event is %q %s, want %s", got, event.Raw, eventType)
	}
}

// runInProgress checks that a thread has one run at a time.
func runInProgress(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	session, other := alice.CreateSession(), alice.CreateSession()
	gate := make(chan struct{})
	server.Upstream.Answer("Wait", harness.Script{
		harness.Text("One"), harness.Wait(gate), harness.Finish("stop"), harness.Done(),
	})
	run := alice.StartRun(session, "Wait")
	run.Until(itemAdded)
	want(t, alice.Do(runRequest(session, helloBody)), 409, "RUN_IN_PROGRESS")
	alice.Say(other, "Hello") // Another thread is free.
	if messages := alice.Session(session).Messages; len(messages) != 1 {
		t.Errorf("a refused run left its message: %d are there", len(messages))
	}
	close(gate)
	run.All()
	alice.Say(session, "Hello") // It is free again.
	if messages := alice.Session(session).Messages; len(messages) != 4 {
		t.Errorf("the history has %d messages, want 4", len(messages))
	}
}

// concurrentRuns checks that one of many concurrent runs in a thread is accepted.
func concurrentRuns(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	session := alice.CreateSession()
	gate := make(chan struct{})
	server.Upstream.Answer("Race", harness.Script{
		harness.Wait(gate), harness.Text("One"), harness.Finish("stop"), harness.Done(),
	})
	answers := make(chan harness.Answer)
	const runs = 20
	for range runs {
		go func() { answers <- alice.Do(runRequest(session, messageJSON(t, "Race"))) }()
	}
	for range runs - 1 {
		want(t, <-answers, 409, "RUN_IN_PROGRESS")
	}
	close(gate)
	wantOK(t, <-answers)
	if got := len(server.Upstream.Requests("Race")); got != 1 {
		t.Errorf("the model was asked %d times", got)
	}
	if messages := alice.Session(session).Messages; len(messages) != 2 {
		t.Errorf("the history has %d messages, want 2", len(messages))
	}
}

// wireIDs are the ids that fill the placeholders of a pattern.
type wireIDs map[string]string

func (w wireIDs) fill(pattern string) string {
	for place, value := range w {
		pattern = strings.ReplaceAll(pattern, `"`+place+`"`, `"`+value+`"`)
	}
	return pattern
}

// jsonTime returns a time in its JSON form.
func jsonTime(t *testing.T, at time.Time) string {
	t.Helper()
	data, err := json.Marshal(at)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Trim(string(data), `"`)
}
