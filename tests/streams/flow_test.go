package streams_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// A piece of the answer is with the client before upstream says the next one.
func TestEachEventLeavesAsItIsProduced(t *testing.T) {
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

// Before upstream's first word the client already has its own message.
func TestUsersMessageComesBeforeTheFirstWord(t *testing.T) {
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

// Runs follow one another in a thread without a pause; the first gives the
// title, and a second beside a live one is refused.
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

// A quiet stream says that it lives, from its first moment on.
func TestQuietStreamIsKeptAlive(t *testing.T) {
	t.Parallel()
	const keepAlive = 15 * time.Second
	s := newStand(t, harness.Options{Database: harness.SQLite})
	user := s.User(t)
	quiet := map[string]harness.Script{
		"thinks":             {harness.Comment("OPENROUTER PROCESSING")},
		"pauses in the text": {harness.Text("Well, ")},
	}
	for name, begin := range quiet {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
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
		})
	}
}

// frames are the lines of the stream that are not blank, as they come. They
// end with it.
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
