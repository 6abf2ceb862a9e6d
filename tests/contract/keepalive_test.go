package contract_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// quietest is how long a stream may be quiet: 15 seconds, and a little for the
// way.
const quietest = 17 * time.Second

// keepAlive: a quiet stream has a comment at least every 15 seconds.
func keepAlive(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	session := alice.CreateSession()
	server.Upstream.Answer("Think long", harness.Script{harness.Text("Hm"), harness.Hang()})
	response, err := alice.API.CreateRun(alice.Context(), session, session, harness.MessageBody("Think long"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("got %d", response.StatusCode)
	}
	reader, last := bufio.NewReader(response.Body), time.Now()
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		if strings.HasPrefix(line, ":") {
			break
		}
		if line != "\n" {
			last = time.Now()
		}
	}
	if quiet := time.Since(last); quiet > quietest {
		t.Errorf("the stream was quiet for %s", quiet)
	}
}
