package streams_test

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

const systemPrompt = "You are the test's assistant."

// The history sent upstream is the system prompt and the newest messages that
// fit, beginning with a user message.
func TestHistoryIsBoundByMessages(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		for _, bound := range []int{1, 2, 5, 8} {
			t.Run(strconv.Itoa(bound), func(t *testing.T) {
				t.Parallel()
				checkBoundByMessages(t, database, bound)
			})
		}
	})
}

func checkBoundByMessages(t *testing.T, database harness.Database, bound int) {
	t.Helper()
	questions := make([]string, 6)
	for n := range questions {
		questions[n] = fmt.Sprintf("Question %d", n)
	}
	s := newStand(t, harness.Options{Database: database, Env: map[string]string{
		"HISTORY_MAX_MESSAGES": strconv.Itoa(bound), "SYSTEM_PROMPT": systemPrompt,
	}})
	user := s.User(t)
	session := user.CreateSession()
	sayMany(t, s, user, session, questions)
	if stored := history(t, user, session); len(stored) != 2*len(questions) {
		t.Errorf("%d messages are stored, want %d", len(stored), 2*len(questions))
	}
	for n := range questions {
		// An answer without its question is left out, so an even limit has one
		// message less.
		fits := bound - 1 + bound%2
		checkAsked(t, s, questions[:n+1], min(fits, 2*n+1))
	}
}

// The limit of characters counts code points of whole messages.
func TestHistoryIsBoundByCharacters(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		const bound = 200
		s := newStand(t, harness.Options{Database: database, Env: map[string]string{
			"HISTORY_MAX_CHARS": strconv.Itoa(bound), "MAX_MESSAGE_CHARS": strconv.Itoa(bound), "SYSTEM_PROMPT": systemPrompt,
		}})
		user := s.User(t)
		// 30 code points each with its number, and 31 in the answer: a question
		// and the three exchanges before it are 30 + 3 × 61 = 213, two are 152.
		questions := make([]string, 6)
		for n := range questions {
			questions[n] = strings.Repeat("😀", 28) + fmt.Sprintf("%02d", n)
			if utf8.RuneCountInString(questions[n]) != 30 {
				t.Fatal("the question is not of 30 characters")
			}
		}
		session := user.CreateSession()
		sayMany(t, s, user, session, questions)
		for n := range questions {
			checkAsked(t, s, questions[:n+1], min(5, 2*n+1))
		}
		// A message as long as the limit is sent alone.
		long := strings.Repeat("é", bound)
		user.Say(session, long)
		asked := askedUpstream(t, s, long)
		if len(asked) != 2 || asked[1].Content != long {
			t.Errorf("a message as long as the bound went with %d others", len(asked)-2)
		}
	})
}

// checkAsked checks that the last request upstream had the newest count messages,
// in order and unchanged.
func checkAsked(t *testing.T, s *stand, questions []string, count int) {
	t.Helper()
	var whole []harness.ChatMessage
	for _, question := range questions {
		whole = append(whole, harness.ChatMessage{Role: "user", Content: question},
			harness.ChatMessage{Role: "assistant", Content: question + "!"})
	}
	whole = whole[:len(whole)-1] // The last one is not answered yet.
	want := append([]harness.ChatMessage{{Role: "system", Content: systemPrompt}}, whole[len(whole)-count:]...)
	got := askedUpstream(t, s, questions[len(questions)-1])
	if !reflect.DeepEqual(got, want) {
		t.Errorf("upstream was asked\n%v, want\n%v", got, want)
	}
}

// The text that came before an answer broke is part of the history, and so is a
// message without an answer: it is joined to the next one.
func TestBrokenAnswersAreHistory(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database, Env: map[string]string{"SYSTEM_PROMPT": systemPrompt}})
		user := s.User(t)
		session := user.CreateSession()
		s.Upstream.Answer("Break", harness.Script{harness.Text("It begins"), harness.CloseConnection()})
		s.Upstream.Answer("Refuse", refuses(500, -1))
		user.Say(session, "Break")
		if _, err := user.API.CreateRunWithResponse(user.Context(), session, session, harness.MessageBody("Refuse")); err != nil {
			t.Fatal(err)
		}
		user.Say(session, "Go on")
		want := []harness.ChatMessage{
			{Role: "system", Content: systemPrompt},
			{Role: "user", Content: "Break"},
			{Role: "assistant", Content: "It begins"},
			{Role: "user", Content: "Refuse\n\nGo on"},
		}
		if got := askedUpstream(t, s, "Go on"); !reflect.DeepEqual(got, want) {
			t.Errorf("upstream was asked\n%v, want\n%v", got, want)
		}
	})
}

// askedUpstream returns the messages of the last request with the question.
func askedUpstream(t *testing.T, s *stand, question string) []harness.ChatMessage {
	t.Helper()
	requests := s.Upstream.Requests(question)
	if len(requests) == 0 {
		t.Fatalf("upstream was not asked %q", question)
	}
	return requests[len(requests)-1].Body.Messages
}

// sayMany sends the questions one after the other; each is answered with its own
// text and "!".
func sayMany(t *testing.T, s *stand, user *harness.User, session uuid.UUID, questions []string) {
	t.Helper()
	for _, question := range questions {
		s.Upstream.Answer(question, harness.TextAnswer(question, "!"))
		readTranscript(t, user.Say(session, question)).check(t, question, question+"!", question == questions[0], false)
	}
}
