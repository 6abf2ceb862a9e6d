package demo_test

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/chatkit-rest/chatkit-rest/internal/demo"
)

func TestFirstAnswerSaysItIsADemo(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	for _, message := range []string{"hello", "What is the meaning of life?", "help", ""} {
		first := ask(t, server, user(message)).text()
		for _, want := range []string{"demo", "no model", "OPENROUTER_API_KEY", "--demo", "help"} {
			if !strings.Contains(first, want) {
				t.Errorf("the first answer to %q lacks %q: %q", message, want, first)
			}
		}
	}
	if later := reply(t, server, user("hi")); strings.Contains(later, "OPENROUTER_API_KEY") {
		t.Errorf("a later answer says it again: %q", later)
	}
}

func TestHelpNamesEveryCommand(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	help := reply(t, server, user("Help"))
	if other := reply(t, server, user("Hello! What can you do?")); other != help {
		t.Errorf("it can do %q", other)
	}
	for _, command := range []string{"/error 429", "/fail", "/cut", "/hang", "/slow", "/empty", "/long 500"} {
		if !strings.Contains(help, "`"+command+"`") {
			t.Errorf("help lacks %s", command)
		}
	}
	// What help shows as an example must work.
	for _, example := range []string{
		"what is my name?", "how many messages?", "what did I ask before?", "what was my first message?",
		"what is 12 * (3 + 4)?", "what time is it?", "make a list of tea, milk and bread", "show me some code",
		"think: what is 2 + 2?", "what tools do you have?", "use add_task Buy milk",
	} {
		if !strings.Contains(help, `"`+example+`"`) {
			t.Errorf("help lacks %q", example)
		}
		if got := reply(t, server, user(example)); strings.Contains(got, "cannot answer") {
			t.Errorf("%q is not understood: %q", example, got)
		}
	}
}

func TestRemembersAName(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	tests := map[string]struct {
		told []string
		want string
	}{
		"plain":            {[]string{"my name is Ada", "what is my name?"}, "Your name is Ada."},
		"two words":        {[]string{"Hello, my name is Ada Lovelace and I like tea", "What's my name?"}, "Your name is Ada Lovelace."},
		"full stop":        {[]string{"My name is Ada. Nice to meet you", "who am I?"}, "Your name is Ada."},
		"the last one":     {[]string{"my name is Ada", "my name is Grace", "do you remember my name?"}, "Your name is Grace."},
		"curly apostrophe": {[]string{"my name’s Zoë", "What’s my name"}, "Your name is Zoë."},
		"other scripts":    {[]string{"my name is 田中", "what is my name?"}, "Your name is 田中."},
		"lower case":       {[]string{"my name is ada and i like tea", "what is my name"}, "Your name is ada."},
		"in one message":   {[]string{"My name is Ada. What is my name?"}, "Your name is Ada."},
		"much later":       {[]string{"my name is Ada", "2+2", "what time is it?", "what is my name?"}, "Your name is Ada."},
		"never told":       {[]string{"2+2", "what is my name?"}, `You have not told me your name yet. Try "my name is Ada".`},
		"greeting":         {[]string{"my name is Ada", "Hello!"}, "Hello, Ada!"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var messages []said
			for i, told := range test.told {
				if i > 0 {
					messages = append(messages, assistant("…"))
				}
				messages = append(messages, user(told))
			}
			if got := reply(t, server, messages...); got != test.want {
				t.Errorf("answer %q, want %q", got, test.want)
			}
		})
	}
	if got := reply(t, server, user("my name is Ada")); !strings.Contains(got, "Ada") {
		t.Errorf("the name is not acknowledged: %q", got)
	}
}

func TestCountsAndRepeats(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	earlier := []said{user("why is the sky blue?"), assistant("…"), user("and the sea?\nsay!"), assistant("…")}
	for question, want := range map[string]string{
		"how many messages did I send?": "I was sent 4 messages of yours, this one included, and 3 answers of mine.",
		"What did I ask before?":        "Before that you wrote:\n\n> and the sea?\n> say!",
		"repeat":                        "Before that you wrote:\n\n> and the sea?\n> say!",
		"what was my first message?":    "Your first message was:\n\n> hello",
	} {
		if got := reply(t, server, append(earlier, user(question))...); got != want {
			t.Errorf("%q: answer %q, want %q", question, got, want)
		}
	}
	if got := ask(t, server, user("what did I ask before?")).text(); !strings.Contains(got, "first message") {
		t.Errorf("nothing before: answer %q", got)
	}
}

func TestCalculates(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	for question, want := range map[string]string{
		"2+2":                          "`2+2` = 4",
		"What is 12 * (3 + 4)?":        "`12 * (3 + 4)` = 84",
		"what's 0.1 + 0.2":             "`0.1 + 0.2` = 0.3",
		"calculate 7 / 8":              "`7 / 8` = 0.875",
		"10 / 3":                       "`10 / 3` = 3.3333333333 (rounded)",
		"2 - 3 - 4":                    "`2 - 3 - 4` = -5",
		"-2 * -3":                      "`-2 * -3` = 6",
		"6 × 7 ÷ 2 =":                  "`6 * 7 / 2` = 21",
		"how much is 3 plus 4 times 5": "`3+4*5` = 23",
		"what is 1 / (2 - 2)?":         "A division by zero has no result.",
	} {
		if got := reply(t, server, user(question)); got != want {
			t.Errorf("%q: answer %q, want %q", question, got, want)
		}
	}
	for _, other := range []string{
		"42", "-42", "(1+", "1+", "1 2 + 3", "1.2.3 + 4", ")1+2(", "()", "1 + ()",
		strings.Repeat("(", 90) + "1+1" + strings.Repeat(")", 89), strings.Repeat("1+", 150) + "1",
	} {
		if got := reply(t, server, user(other)); !strings.Contains(got, "cannot answer") {
			t.Errorf("%q: answer %q", other, got)
		}
	}
}

func TestTellsTheTime(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	for _, question := range []string{"What time is it?", "what is the date?", "what day is it today", "tell me the time"} {
		got := reply(t, server, user(question))
		told, err := time.Parse("It is 15:04:05 UTC on Monday, 2 January 2006, by this server's clock.", got)
		if err != nil {
			t.Errorf("%q: answer %q", question, got)
			continue
		}
		if off := time.Since(told); off < 0 || off > time.Minute {
			t.Errorf("%q: %q is off by %s", question, got, off)
		}
	}
}

func TestWritesMarkdown(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	for question, want := range map[string]string{
		"make a list of tea, milk and bread":  "Here is your list:\n\n- tea\n- milk\n- bread",
		"Shopping list: eggs, flour, and jam": "Here is your list:\n\n- eggs\n- flour\n- jam",
	} {
		if got := reply(t, server, user(question)); got != want {
			t.Errorf("%q: answer %q, want %q", question, got, want)
		}
	}
	if got := reply(t, server, user("write a list")); !strings.Contains(got, "\n1. ") {
		t.Errorf("a list of nothing: %q", got)
	}
	got := reply(t, server, user("show me some code"))
	if !strings.Contains(got, "```go\npackage main\n") || !strings.Contains(got, "\n\tfmt.Println(") || !strings.HasSuffix(got, "\n```") {
		t.Errorf("code is %q", got)
	}
}

func TestOtherMessagesAreQuoted(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	got := reply(t, server, user("Why?\nTell me."))
	if !strings.Contains(got, "> Why?\n> Tell me.\n") || !strings.Contains(got, "`help`") {
		t.Errorf("answer %q", got)
	}
	if got := reply(t, server, user(" \n ")); !strings.Contains(got, "no text") {
		t.Errorf("a blank message: answer %q", got)
	}
}

func TestPiecesAreWholeCharacters(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	texts := []string{
		"naïve café, piñata — “quoted”",
		strings.Repeat("e\u0301", 40),
		strings.Repeat("👩‍👩‍👧‍👦", 20),
		strings.Repeat("👍🏽", 30),
		"xy" + strings.Repeat("🇫🇷", 20),
		strings.Repeat("日本語のとても長い文章です", 20),
		"tabs\tand\r\nlines \u00a0 and spaces ",
	}
	for _, text := range texts {
		got := ask(t, server, user(text))
		whole := got.text()
		limit := min(len([]rune(text)), 300)
		if want := string([]rune(strings.TrimSpace(text))[:limit/2]); !strings.Contains(strings.ReplaceAll(whole, "\n> ", "\n"), want) {
			t.Errorf("answer %q lacks %q", whole, want)
		}
		for _, e := range got.events {
			piece := e.Choices[0].Delta.Content
			if !utf8.ValidString(piece) {
				t.Errorf("piece %q is not UTF-8", piece)
			}
			if piece == "" {
				continue
			}
			first, _ := utf8.DecodeRuneInString(piece)
			last, _ := utf8.DecodeLastRuneInString(piece)
			if unicode.IsMark(first) || first == '\u200d' || last == '\u200d' || (first >= 0x1F3FB && first <= 0x1F3FF) {
				t.Errorf("piece %q breaks a character", piece)
			}
			flags := strings.Count(piece, "🇫") + strings.Count(piece, "🇷")
			if flags%2 != 0 {
				t.Errorf("piece %q breaks a flag", piece)
			}
			if len(strings.Fields(piece)) > 1 {
				t.Errorf("piece %q has more than a word", piece)
			}
		}
	}
}
