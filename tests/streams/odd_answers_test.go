package streams_test

import (
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// Answers of local servers and of models with oddities reach the history whole:
// reasoning in tags is no text and no title, a surrogate pair split over two
// deltas is one character, and an image of some megabytes in a delta does not end
// the answer.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database, Env: map[string]string{"TITLE_MODEL": "test/namer"}})
		user := s.User(t)
		session := user.CreateSession()
		delta := func(fields string) harness.Step {
			return harness.Raw(`data: {"choices":[{"index":0,"delta":{` + fields + `}}]}` + "\n\n")
		}
		s.Upstream.Answer("odd question", harness.Script{
			harness.Text("<thi"), harness.Text("nk>Let me"), harness.Text(" see.</think>\n\nA cake "),
			delta(`"content":"\ud83c"`), delta(`"content":"\udf89"`),
			delta(`"images":[{"image_url":{"url":"data:image/png;base64,` + strings.Repeat("AAAA", 1<<19) + `"}}]`),
			harness.Text(" is here."), harness.Finish("stop"), harness.Done(),
		})
		s.Upstream.Answer("User:\nodd question\n\nAssistant:\nA cake 🎉 is here.", harness.TextAnswer("<think>A title", "?</think>", "Spring garden"))
		user.Say(session, "odd question")
		checkHistory(t, user, session, line{"user", "odd question"}, line{"assistant", "A cake 🎉 is here."})
		harness.Eventually(t, soon, "the title is Spring garden", func() bool {
			title := user.Session(session).Title
			return title != nil && *title == "Spring garden"
		})
	})
}
