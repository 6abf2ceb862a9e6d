package streams_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// An answer that is no stream is a 502 that claims nothing was kept; the log
// names its kind and the setting to look at.
func TestAnswerThatIsNoStream(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database})
		for kind, body := range map[string]string{
			"a web page": "<!doctype html><p>" + fromUp, "text/plain": fromUp + ", please log in", "JSON": `{"detail":"` + fromUp + `"}`,
		} {
			user := s.User(t)
			session := user.CreateSession()
			question := askWord + " " + kind
			s.Upstream.Answer(question, harness.Script{harness.Refuse(200, -1, body)})
			answer, err := user.API.CreateRunWithResponse(user.Context(), session, session, harness.MessageBody(question))
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode() != http.StatusBadGateway || strings.Contains(string(answer.Body), "kept") {
				t.Errorf("%s: the answer is %s: %s", kind, answer.Status(), answer.Body)
			}
			s.AwaitLog(t, "the answer is "+kind)
		}
		if log := s.Log(); strings.Count(log, "check OPENROUTER_BASE_URL") != 3 || strings.Contains(log, fromUp) {
			t.Errorf("the log does not name the setting three times, or repeats upstream: %s", log)
		}
	})
}
