package attachments_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// partialUpload is an upload whose client has sent a part of the content.
type partialUpload struct {
	t    *testing.T
	conn net.Conn
}

// startUpload sends the head of an upload and the first bytes of its content.
func startUpload(t *testing.T, server *harness.Server, a attachment, size int, begin []byte) partialUpload {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	u := partialUpload{t, conn}
	u.send(fmt.Appendf(nil, "PUT %s HTTP/1.1\r\nHost: test\r\nContent-Type: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		pathOf(t, server, a.Upload.URL), a.MimeType, size))
	// The server answers this when it begins to read the content.
	if got := u.answer(); got != "HTTP/1.1 100 Continue\r\n\r\n" {
		t.Fatalf("the upload answered %s", got)
	}
	u.send(begin)
	return u
}

func (u partialUpload) send(data []byte) {
	u.t.Helper()
	if _, err := u.conn.Write(data); err != nil {
		u.t.Fatal(err)
	}
}

// A client whose upload was interrupted can upload again at once, whether or not
// the server has seen the old connection close. The new content is stored.
func TestUploadAfterInterruptedUpload(t *testing.T) {
	t.Parallel()
	onEach(t, nil, func(t *testing.T, server *harness.Server, store fileStore) {
		content, other := bytes.Repeat([]byte("new\n"), 25_000), bytes.Repeat([]byte("old\n"), 25_000)
		alice := server.User(t)
		closed, open := create(t, alice, "closed.txt", "text/plain", len(content)), create(t, alice, "open.txt", "text/plain", len(content))

		half := startUpload(t, server, closed, len(content), other[:len(other)/2])
		half.conn.Close()
		want(t, upload(t, server, closed, content), http.StatusNoContent, "")

		half = startUpload(t, server, open, len(content), other[:len(other)/2])
		want(t, upload(t, server, open, content), http.StatusNoContent, "")
		half.send(other[len(other)/2:]) // The old connection was still open.
		wantRefusal(t, half, "Another upload of this attachment")

		for _, a := range []attachment{closed, open} {
			if got := alice.Do(harness.Request{Method: http.MethodGet, Path: contentPath(a)}); !bytes.Equal(got.Body, content) {
				t.Errorf("%s: the content is not the new upload's: %d %.20q", a.Name, got.Status, got.Body)
			}
		}
		harness.Eventually(t, harness.WaitTimeout, "only the new uploads are stored", func() bool { return store.count(t) == 2 })
	})
}

// A second upload does not disturb one in progress. Its refusal differs from the
// one after the content is stored.
func TestConcurrentUploads(t *testing.T) {
	t.Parallel()
	onEach(t, nil, func(t *testing.T, server *harness.Server, _ fileStore) {
		content := bytes.Repeat([]byte("first\n"), 40)
		alice := server.User(t)
		a := create(t, alice, "a.txt", "text/plain", len(content))
		first := startUpload(t, server, a, len(content), content[:1])
		second := make(chan harness.Answer, 1)
		go func() { second <- upload(t, server, a, content) }()
		sent := 1
		for done := false; !done; {
			select {
			case answer := <-second:
				want(t, answer, 409, "ATTACHMENT_CONFLICT")
				if !strings.Contains(answer.Message(), "is being uploaded") {
					t.Errorf("the message of a concurrent upload: %s", answer.Message())
				}
				done = true
			case <-time.After(time.Second):
				first.send(content[sent : sent+1])
				sent++
			}
		}
		first.send(content[sent:])
		if head := first.answer(); !strings.HasPrefix(head, "HTTP/1.1 204") {
			t.Errorf("the first upload answered %s", head)
		}
		answer := upload(t, server, a, content)
		want(t, answer, 409, "ATTACHMENT_CONFLICT")
		if !strings.Contains(answer.Message(), "is uploaded already") {
			t.Errorf("the message of an upload after another: %s", answer.Message())
		}
	})
}

// answer returns the server's response to the upload.
func (u partialUpload) answer() string {
	u.t.Helper()
	if err := u.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		u.t.Fatal(err)
	}
	data := make([]byte, 4096)
	n, err := u.conn.Read(data)
	if err != nil && !errors.Is(err, io.EOF) {
		u.t.Fatal(err)
	}
	return string(data[:n])
}

func wantRefusal(t *testing.T, u partialUpload, message string) {
	t.Helper()
	if answer := u.answer(); !strings.HasPrefix(answer, "HTTP/1.1 409") || !strings.Contains(answer, message) {
		t.Errorf("the upload answered %s, want 409 with %q", answer, message)
	}
}
