package contract_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// messageJSON returns the body of a run with these text parts.
func messageJSON(t *testing.T, parts ...string) string {
	t.Helper()
	body, err := json.Marshal(harness.MessageBody(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func runRequest(session uuid.UUID, body string) harness.Request {
	return harness.Request{
		Method: http.MethodPost, Path: harness.RunsPath(session, session), Body: strings.NewReader(body),
	}
}

const (
	family    = "👨‍👩‍👧‍👦" // 7 code points, 11 UTF-16 units, 25 bytes
	astral    = "😀"       // 1 code point, 2 UTF-16 units, 4 bytes
	combining = "e\u0301" // 2 code points, one letter
)

// TestMessages tests which messages are accepted.
func TestMessages(t *testing.T) {
	t.Parallel()
	suite(t, nil, map[string]check{
		"message length":         messageLength,
		"message length escaped": messageLengthEscaped,
		"message blank":          messageBlank,
		"message stored":         messageStored,
		"message NUL":            messageNUL,
		"message UTF-8":          messageUTF8,
	})
}

// messageLength checks that the limit is 500 code points, counted over all
// parts.
func messageLength(t *testing.T, server *harness.Server) {
	cases := []struct {
		name  string
		parts []string
		taken bool
	}{
		{"500 letters", []string{strings.Repeat("a", 500)}, true},
		{"501 letters", []string{strings.Repeat("a", 501)}, false},
		{"500 emoji", []string{strings.Repeat(astral, 500)}, true},
		{"501 emoji", []string{strings.Repeat(astral, 501)}, false},
		{"499 letters and an emoji", []string{strings.Repeat("a", 499) + astral}, true},
		{"500 letters and an emoji", []string{strings.Repeat("a", 500) + astral}, false},
		{"71 families and 3 letters", []string{strings.Repeat(family, 71) + "abc"}, true},
		{"71 families and 4 letters", []string{strings.Repeat(family, 71) + "abcd"}, false},
		{"250 combined letters", []string{strings.Repeat(combining, 250)}, true},
		{"251 combined letters", []string{strings.Repeat(combining, 251)}, false},
		{"two parts of 250", []string{strings.Repeat("a", 250), strings.Repeat("b", 250)}, true},
		{"parts of 250 and 251", []string{strings.Repeat("a", 250), strings.Repeat("b", 251)}, false},
		{"500 parts of one", strings.Split(strings.Repeat("a", 500), ""), true},
		{"501 parts of one", strings.Split(strings.Repeat("a", 501), ""), false},
		{"500 with the white space around", []string{strings.Repeat(" ", 499) + "a"}, true},
		{"501 with the white space around", []string{strings.Repeat(" ", 500) + "a"}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			alice := server.User(t)
			session := alice.CreateSession()
			answer := alice.Do(runRequest(session, messageJSON(t, c.parts...)))
			if c.taken {
				wantOK(t, answer)
				return
			}
			want(t, answer, 400, "MESSAGE_TOO_LONG")
			wantNamed(t, answer, "500")
			if messages := alice.Session(session).Messages; len(messages) != 0 {
				t.Errorf("a refused message is in the history: %+v", messages)
			}
		})
	}
}

// messageLengthEscaped checks that the decoded text counts and not its JSON
// form.
func messageLengthEscaped(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	session := alice.CreateSession()
	escaped := strings.Repeat(`\ud83d\ude00`, 500)
	body := func(text string) string {
		return `{"message":{"role":"user","content":[{"type":"input_text","text":"` + text + `"}]}}`
	}
	wantOK(t, alice.Do(runRequest(session, body(escaped))))
	want(t, alice.Do(runRequest(session, body(escaped+`\u0061`))), 400, "MESSAGE_TOO_LONG")
	content, err := alice.Session(session).Messages[0].Content[0].AsInputTextContent()
	if err != nil || content.Text != strings.Repeat(astral, 500) {
		t.Errorf("the history has %q, %v", content.Text, err)
	}
}

// messageBlank checks that a message of Unicode white space is refused.
func messageBlank(t *testing.T, server *harness.Server) {
	cases := []struct {
		name  string
		parts []string
		blank bool
	}{
		{"nothing", []string{""}, true},
		{"no parts", []string{}, true},
		{"empty parts", []string{"", ""}, true},
		{"a space", []string{" "}, true},
		{"ASCII white space", []string{" \t\r\n\v\f"}, true},
		{"no-break space", []string{"\u00a0"}, true},
		{"em space and ideographic space", []string{"\u2003\u3000"}, true},
		{"line and paragraph separators", []string{"\u2028\u2029"}, true},
		{"next line", []string{"\u0085"}, true},
		{"blank parts", []string{" ", "\n"}, true},
		{"one part has a letter", []string{" ", "a"}, false},
		{"a letter amid white space", []string{"\u3000a\u2003"}, false},
		{"a zero", []string{"0"}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			alice := server.User(t)
			answer := alice.Do(runRequest(alice.CreateSession(), messageJSON(t, c.parts...)))
			if c.blank {
				want(t, answer, 400, "EMPTY_MESSAGE")
				return
			}
			wantOK(t, answer)
		})
	}
}

// messageStored checks that the text is stored as it was sent.
func messageStored(t *testing.T, server *harness.Server) {
	texts := map[string]string{
		"markup":        `<script>alert("&amp;")</script>`,
		"line breaks":   "one\r\ntwo\n\nthree\u2028four",
		"controls":      "bell\a escape\x1b[31m delete\x7f",
		"quotes":        `'; DROP TABLE sessions; -- "\`,
		"right to left": "\u202eabc שלום مرحبا",
		"families":      family + combining,
		"white around":  "  two spaces around  ",
		"stream words":  "data: [DONE]\n\n: comment\nevent: x",
		"not a char":    "\ufffe\U0010ffff",
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			alice := server.User(t)
			session := alice.CreateSession()
			server.Upstream.Answer(text, harness.TextAnswer(text))
			events := alice.Say(session, text)
			if got := harness.DeltaText(events); got != text {
				t.Errorf("the stream says %q, want %q", got, text)
			}
			messages := alice.Session(session).Messages
			if len(messages) != 2 {
				t.Fatalf("the history has %d messages", len(messages))
			}
			asked, err := messages[0].Content[0].AsInputTextContent()
			if err != nil || asked.Text != text {
				t.Errorf("the question is stored as %q, want %q (%v)", asked.Text, text, err)
			}
			said, err := messages[1].Content[0].AsOutputTextContent()
			if err != nil || said.Text != text {
				t.Errorf("the answer is stored as %q, want %q (%v)", said.Text, text, err)
			}
		})
	}
}

// messageNUL checks that NUL is refused on both databases, because PostgreSQL
// cannot store it.
func messageNUL(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	session := alice.CreateSession()
	answer := alice.Do(runRequest(session, messageJSON(t, "fine", "a\x00b")))
	want(t, answer, 400, "INVALID_REQUEST")
	wantNamed(t, answer, "message.content[1].text")
	if messages := alice.Session(session).Messages; len(messages) != 0 {
		t.Errorf("a refused message is in the history: %+v", messages)
	}
}

// messageUTF8 checks that a body that is not UTF-8 (RFC 8259, section 8.1) is
// refused, because it could not be stored as it was sent.
func messageUTF8(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	body := strings.Replace(helloBody, "Hello", "Hel\xfflo", 1)
	want(t, alice.Do(runRequest(alice.CreateSession(), body)), 400, "INVALID_REQUEST")
}
