package streams_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// The client receives each delta before upstream sends the next one.
func TestDeltasAreDeliveredAtOnce(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		const pieces = 40
		s := newStand(t, harness.Options{Database: database})
		user := s.User(t)
		session := user.CreateSession()
		var script harness.Script
		var gates []chan struct{}
		for n := range pieces {
			gates = append(gates, make(chan struct{}))
			script = append(script, harness.Text(fmt.Sprintf("%d, ", n)), harness.Wait(gates[n]))
		}
		s.Upstream.Answer("Count", append(script, harness.Finish("stop"), harness.Done()))

		run := user.StartRun(session, "Count")
		told := &transcript{}
		for n := range pieces {
			for len(told.deltas) <= n {
				event, ok := run.Next()
				if !ok {
					t.Fatalf("the stream ended after %d pieces", n)
				}
				told.add(t, event.Raw)
			}
			if n == 0 && told.asked != "Count" {
				t.Error("the user's message did not come before the answer")
			}
			close(gates[n])
		}
		for _, event := range run.All() {
			told.add(t, event.Raw)
		}
		told.check(t, "Count", told.said(), true, false)
		if len(told.deltas) != pieces || told.deltas[pieces-1] != "39, " {
			t.Errorf("the answer came in %d pieces, want %d: %q", len(told.deltas), pieces, told.deltas)
		}
		if told.title != "Count" {
			t.Errorf("the title is %q, want %q", told.title, "Count")
		}
	})
}

// The client receives its own message before upstream has sent any text.
func TestUserMessageIsDeliveredFirst(t *testing.T) {
	t.Parallel()
	s := newStand(t, harness.Options{Database: harness.SQLite})
	user := s.User(t)
	goOn := make(chan struct{})
	s.Upstream.Answer("Think", harness.Script{
		harness.Comment("OPENROUTER PROCESSING"), harness.Wait(goOn), harness.Text("Done."), harness.Finish("stop"), harness.Done(),
	})
	run := user.StartRun(user.CreateSession(), "Think")
	events := run.Until(streamOptions)
	close(goOn)
	readTranscript(t, append(events, run.All()...)).check(t, "Think", "Done.", true, false)
}

// A thread takes the next message as soon as a run has ended; the first message
// gives the title. A message during a run is refused.
func TestRunsOfAThread(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database})
		user := s.User(t)
		session := user.CreateSession()
		var want []line
		for n := range 10 {
			question := fmt.Sprintf("Question %d", n)
			told := readTranscript(t, user.Say(session, question))
			told.check(t, question, "Hello from the model.", n == 0, false)
			want = append(want, line{"user", question}, line{"assistant", "Hello from the model."})
		}
		checkHistory(t, user, session, want...)

		goOn := make(chan struct{})
		s.Upstream.Answer("Wait", harness.Script{harness.Text("Well."), harness.Wait(goOn), harness.Finish("stop"), harness.Done()})
		run := user.StartRun(session, "Wait")
		answer, err := user.API.CreateRunWithResponse(user.Context(), session, session, harness.MessageBody("Beside it"))
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode() != http.StatusConflict {
			t.Errorf("a second run beside a live one was answered %s", answer.Status())
		}
		close(goOn)
		readTranscript(t, run.All()).check(t, "Wait", "Well.", false, false)
		checkHistory(t, user, session, append(want, line{"user", "Wait"}, line{"assistant", "Well."})...)
		if count := len(s.runsOf(t, session)); count != 11 {
			t.Errorf("the session has %d runs, want 11", count)
		}
	})
}

// Of two messages sent to a thread at once, one is refused. Nothing is sent
// upstream for a message that is not stored.
func TestRefusedMessageIsNotSentUpstream(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database})
		user := s.User(t)
		for range 10 {
			session := user.CreateSession()
			before := s.Upstream.Count()
			goOn := make(chan struct{})
			statuses := make(chan int)
			for n := range 5 {
				question := fmt.Sprintf("Question %d of %s", n, session)
				s.Upstream.Answer(question, harness.Script{harness.Wait(goOn), harness.Text("Well."), harness.Finish("stop"), harness.Done()})
				go func() { statuses <- statusOfRun(user, session, question) }()
			}
			for range 4 {
				if status := <-statuses; status != http.StatusConflict {
					t.Errorf("a message beside another was answered %d", status)
				}
			}
			close(goOn)
			if status := <-statuses; status != http.StatusOK {
				t.Errorf("the accepted message was answered %d", status)
			}
			if asked := s.Upstream.Count() - before; asked != 1 {
				t.Errorf("%d requests were sent upstream, want 1", asked)
			}
		}
	})
}

// statusOfRun sends a message and reads its answer to the end; 0 is no answer.
func statusOfRun(user *harness.User, session uuid.UUID, question string) int {
	answer, err := user.API.CreateRunWithResponse(user.Context(), session, session, harness.MessageBody(question))
	if err != nil {
		return 0
	}
	return answer.StatusCode()
}

// A stream without events gets keep-alive comments from its start.
func TestQuietStreamIsKeptAlive(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database})
		for name, begin := range map[string]harness.Script{
			"thinks":             {harness.Comment("OPENROUTER PROCESSING")},
			"pauses in the text": {harness.Text("Well, ")},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				checkKeptAlive(t, s, name, begin)
			})
		}
	})
}

// checkKeptAlive sends a message whose answer pauses after its beginning.
func checkKeptAlive(t *testing.T, s *stand, name string, begin harness.Script) {
	t.Helper()
	const keepAlive = 15 * time.Second
	user := s.User(t)
	session := user.CreateSession()
	goOn := make(chan struct{})
	s.Upstream.Answer(name, append(begin, harness.Wait(goOn), harness.Text("well."), harness.Finish("stop"), harness.Done()))
	run := sendRun(t, s, user, session, name)
	run.open(t)
	frames := run.frames()
	last, waited := time.Now(), time.Duration(0)
	for frame := range frames {
		if strings.HasPrefix(frame, ":") {
			waited = time.Since(last)
			break
		}
		last = time.Now()
	}
	if waited < keepAlive/2 || waited > keepAlive+5*time.Second {
		t.Errorf("the comment came after %s of silence, want one after %s at most", waited, keepAlive)
	}
	t.Logf("the comment came after %s of silence", waited.Round(time.Millisecond))
	close(goOn)
	rest := ""
	for frame := range frames {
		rest = frame
	}
	if rest != "data: "+endOfStream {
		t.Errorf("the stream ended with %q", rest)
	}
	if got := history(t, user, session); len(got) != 2 || !strings.HasSuffix(got[1].text, "well.") {
		t.Errorf("the history is %v", got)
	}
}

// frames returns the non-blank lines of the stream as they come. The channel is
// closed at its end.
func (r *wireRun) frames() <-chan string {
	frames := make(chan string)
	go func() {
		defer close(frames)
		lines := bufio.NewScanner(r.body)
		for lines.Scan() {
			if lines.Text() != "" {
				frames <- lines.Text()
			}
		}
	}()
	return frames
}
