package protocol_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// stopBound is how long upstream's connection may outlive the client's. It takes
// some milliseconds, which the test logs.
const stopBound = 5 * time.Second

// A client that closes the stream stops the run: upstream's connection ends, the
// text so far is saved, and the model is sent a note that no client sees. The next
// message is accepted at once.
func TestClosedStreamStopsTheRun(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		server := harness.Start(t, harness.Options{Database: database})
		user := server.User(t)
		question, next := "Tell me all. "+t.Name(), "Something else. "+t.Name()
		server.Upstream.Answer(question, harness.Script{harness.Text("It all be"), harness.Text("gan"), harness.Hang()})
		thread := disconnectMidStream(t, server, user, question)
		harness.Eventually(t, harness.WaitTimeout, "the part that came is kept", func() bool { return len(items(t, user, thread)) == 2 })
		made := items(t, user, thread)
		if made[1].Type != "assistant_message" || made[1].Content[0].Text != "It all began" {
			t.Errorf("the thread has %+v", made)
		}
		server.Upstream.Answer(next, answered("Yes."))
		stream(t, user, request("threads.add_user_message", object{"thread_id": thread, "input": input(next)}))
		told := sentWith(server, next)
		if !strings.Contains(told, "assistant: It all began\nuser: Hidden context") || !strings.Contains(told, "The user cancelled the stream.") {
			t.Errorf("the model was sent\n%s", told)
		}
		if made := items(t, user, thread); len(made) != 4 || len(user.Session(thread).Messages) != 4 {
			t.Errorf("the thread has %+v", made)
		}
	})
}

// sentWith returns what the model was sent with a question, a line for each
// message.
func sentWith(server *harness.Server, question string) string {
	var told strings.Builder
	for _, message := range server.Upstream.Requests(question)[0].Body.Messages {
		told.WriteString(message.Role + ": " + message.Content + "\n")
	}
	return told.String()
}

// disconnectMidStream sends a question whose answer hangs after "gan",
// disconnects, waits until upstream's connection ends, and returns the thread's
// id.
func disconnectMidStream(t *testing.T, server *harness.Server, user *harness.User, question string) uuid.UUID {
	t.Helper()
	raw, err := json.Marshal(request("threads.create", object{"input": input(question)}))
	if err != nil {
		t.Fatal(err)
	}
	open, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+doorPath, strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	open.Header.Set("Authorization", "Bearer "+user.Token)
	open.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultTransport.RoundTrip(open)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(response.Body)
	var first event
	for lines.Scan() && !strings.Contains(lines.Text(), `"gan"`) {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && first.Type == "" {
			if err := json.Unmarshal([]byte(data), &first); err != nil {
				t.Fatal(err)
			}
		}
	}
	asked := server.Upstream.Await(t, question)
	left := time.Now()
	_ = response.Body.Close() // As a browser does: the connection ends.
	select {
	case <-asked.Done():
		t.Logf("upstream's connection was closed %.1f ms after the client left", float64(time.Since(left).Microseconds())/1000)
	case <-time.After(stopBound):
		t.Fatalf("upstream's connection is open %s after the client disconnected", stopBound)
	}
	return first.Thread.ID
}
