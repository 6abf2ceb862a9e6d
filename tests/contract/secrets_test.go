package contract_test

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestSecretRotation adds a new secret before the old one and then removes
// the old one. Tokens of each configured secret are accepted at each step, and
// the pseudonym of a user for upstream stays the same.
func TestSecretRotation(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		before, after := rand.Text()+rand.Text(), rand.Text()+rand.Text()
		url, upstream := harness.NewDatabase(t, database), harness.NewUpstream(t)
		steps := []struct {
			name, secret string
			taken        map[string]bool
			signs        string
		}{
			{"before", before, map[string]bool{before: true, after: false}, before},
			{"both", after + "," + before, map[string]bool{before: true, after: true}, after},
			{"after", after, map[string]bool{before: false, after: true}, after},
		}
		names := map[string]bool{}
		for _, step := range steps {
			server := harness.Start(t, harness.Options{
				Database: database, DatabaseURL: url, Upstream: upstream, Env: map[string]string{"JWT_SECRET": step.secret},
			})
			for secret, taken := range step.taken {
				alice := server.UserNamed(t, "alice")
				alice.Token = harness.Token(t, secret, "alice")
				if status := alice.Do(harness.Request{Method: http.MethodGet, Path: harness.SessionsPath}).Status; (status == http.StatusOK) != taken {
					t.Errorf("%s: a token got %d, want it accepted: %t", step.name, status, taken)
				}
			}
			result := harness.Execute(t, map[string]string{"JWT_SECRET": step.secret}, "token", "--sub", "alice")
			wantSuccess(t, result)
			alice := server.UserNamed(t, "alice")
			alice.Token = strings.TrimSpace(result.Stdout)
			_, err := jwt.Parse(alice.Token, func(*jwt.Token) (any, error) { return []byte(step.signs), nil })
			if err != nil {
				t.Errorf("%s: the command's token is not signed with the first secret: %v", step.name, err)
			}
			alice.Say(alice.CreateSession(), "Hello, "+step.name)
			names[upstream.Await(t, "Hello, "+step.name).Body.User] = true
			if code := server.Stop(); code != 0 {
				t.Errorf("%s: exit code %d", step.name, code)
			}
		}
		if len(names) != 1 || names[""] || names["alice"] {
			t.Errorf("upstream knows alice by %d names", len(names))
		}
	})
}
