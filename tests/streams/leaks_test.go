package streams_test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// Clients of the ChatKit protocol that disconnect, early or late and in every way,
// leave no connection to upstream, no open file and no live run.
func TestDisconnectsLeakNothing(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		const atOnce, rounds = 20, 10
		// The number of files that a pool of database connections may add.
		const slack = 12
		upstream := harness.NewUpstream(t)
		between := newRelay(t, upstream.URL)
		s := newStand(t, harness.Options{Database: database, Upstream: upstream, Env: map[string]string{
			"OPENROUTER_BASE_URL": between.URL, "MAX_SESSIONS_PER_USER": strconv.Itoa(atOnce),
		}})
		user := s.User(t)
		sessions := make([]uuid.UUID, atOnce)
		for n := range sessions {
			sessions[n] = user.CreateSession()
		}
		disconnectAll(t, s, user, sessions, "warm up") // It opens what stays open.
		harness.Eventually(t, soon, "upstream has no connection open", func() bool { return between.open() == 0 })
		files, opened := openFiles(t, s.PID()), between.opened()

		for round := range rounds {
			disconnectAll(t, s, user, sessions, fmt.Sprintf("round %d", round))
		}
		harness.Eventually(t, soon, "upstream has no connection open", func() bool { return between.open() == 0 })
		if got := between.opened() - opened; got != atOnce*rounds {
			t.Errorf("upstream had %d connections, want %d", got, atOnce*rounds)
		}
		now := 0
		harness.Eventually(t, soon, "the server's files are closed", func() bool {
			now = openFiles(t, s.PID())
			return now <= files+slack
		})
		t.Logf("the server had %d files open before %d clients left, and %d after", files, atOnce*rounds, now)
		for _, session := range sessions {
			for _, row := range s.runsOf(t, session) {
				if row.Status != "cancelled" || row.FailureCode != "client_left" {
					t.Errorf("a run is %s, code %q", row.Status, row.FailureCode)
				}
			}
		}
	})
}

// disconnectAll starts a run in every session, disconnects from them all, and waits
// until the threads are free.
func disconnectAll(t *testing.T, s *stand, user *harness.User, sessions []uuid.UUID, round string) {
	t.Helper()
	ways := disconnections()
	var gone sync.WaitGroup
	for n, session := range sessions {
		question := fmt.Sprintf("%s, %d", round, n)
		isEarly := n%2 == 0
		script := harness.Script{harness.Hang()}
		if !isEarly {
			script = harness.Script{harness.Text("It begins"), harness.Hang()}
		}
		s.Upstream.Answer(question, script)
		gone.Go(func() {
			run := sendChatKit(t, s, user, session, question)
			if isEarly {
				s.Upstream.Await(t, question)
			} else {
				run.open(t)
				run.until(t, textDelta)
			}
			if err := ways[n%len(ways)].disconnect(run); err != nil {
				t.Error(err)
			}
			if ways[n%len(ways)].name == "half closed" {
				run.ends(t, soon)
				if err := run.conn.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	gone.Wait()
	for _, session := range sessions {
		harness.Eventually(t, soon, "the thread is free", func() bool {
			for _, row := range s.runsOf(t, session) {
				if row.Status == "running" {
					return false
				}
			}
			return true
		})
	}
}
