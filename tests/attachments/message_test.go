package attachments_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// Attachments sent through either API are sent to the model, shown by both APIs,
// served to their owner, sent again with later messages, and deleted with their
// thread.
func TestMessagesWithFiles(t *testing.T) {
	t.Parallel()
	onEach(t, nil, func(t *testing.T, server *harness.Server, store fileStore) {
		for name, send := range map[string]sendFunc{"REST": sendByREST, "protocol": open} {
			t.Run(name, func(t *testing.T) { checkMessageWithFiles(t, server, store, name, send) })
		}
	})
}

// sendFunc sends a first message with files and returns its thread and the saved
// message.
type sendFunc func(t *testing.T, user *harness.User, text string, ids ...string) (thread string, message item)

func checkMessageWithFiles(t *testing.T, server *harness.Server, store fileStore, name string, send sendFunc) {
	t.Helper()
	alice := server.User(t)
	image, notes := picture(t), []byte("Buy milk.\nÜber alles: ✓\n"+"By "+name+".\n")
	shown := attach(t, server, alice, "red.png", "image/png", image)
	read := attach(t, server, alice, "notes ✓.txt", "text/plain", notes)
	if shown.Type != "image" || shown.PreviewURL == "" || read.Type != "file" || read.PreviewURL != "" {
		t.Errorf("the attachments are %+v and %+v", shown, read)
	}
	if got := store.count(t); got != 2 {
		t.Errorf("%d files are stored, want 2", got)
	}
	thread, message := send(t, alice, "What is in these?", shown.ID, read.ID)
	checkSent(t, message, thread, shown.ID, read.ID)
	checkSent(t, items(t, alice, thread)[0], thread, shown.ID, read.ID)
	checkSent(t, item{Attachments: restAttachments(t, alice, thread)}, thread, shown.ID, read.ID)
	checkUpstream(t, server.Upstream.Await(t, asked(notes)), image, notes)
	checkServed(t, server, alice, message.Attachments[0], image)
	checkServed(t, server, alice, restAttachments(t, alice, thread)[0], image)

	say(alice, thread, "And now, "+name+"?") // Files of earlier messages are sent again.
	checkUpstream(t, server.Upstream.Await(t, "And now, "+name+"?"), image, notes)
	alice.DeleteSession(uuid.MustParse(thread))
	want(t, alice.Do(harness.Request{Method: http.MethodGet, Path: contentPath(shown)}), 404, "ATTACHMENT_NOT_FOUND")
	harness.Eventually(t, harness.WaitTimeout, "the files are deleted", func() bool { return store.count(t) == 0 })
}

// asked returns the text by which the harness finds a request to the model: the
// texts of all parts.
func asked(notes []byte) string {
	return "What is in these?\nAttached file \"notes ✓.txt\" (text/plain):\n" + string(notes)
}

func checkSent(t *testing.T, message item, thread string, ids ...string) {
	t.Helper()
	if len(message.Attachments) != len(ids) {
		t.Fatalf("the message has the attachments %+v", message.Attachments)
	}
	for n, a := range message.Attachments {
		if a.ID != ids[n] || a.ThreadID != thread || a.Upload != nil {
			t.Errorf("attachment %d is %+v", n, a)
		}
	}
}

// checkUpstream checks that the model was sent the text, the file's text and the
// image, each as a part.
func checkUpstream(t *testing.T, request *harness.UpstreamRequest, image, notes []byte) {
	t.Helper()
	for _, message := range request.Body.Messages {
		if len(message.Parts) == 0 {
			continue
		}
		parts := message.Parts
		if len(parts) != 3 || parts[0].Text != "What is in these?" || !strings.HasSuffix(parts[1].Text, string(notes)) ||
			parts[2].Type != "image_url" ||
			parts[2].ImageURL.URL != "data:image/png;base64,"+base64.StdEncoding.EncodeToString(image) {
			t.Errorf("the parts are %+v", parts)
		}
		return
	}
	t.Error("no message had parts")
}

// checkServed checks that the owner can read the file with a token, and through
// the preview URL without.
func checkServed(t *testing.T, server *harness.Server, owner *harness.User, a attachment, content []byte) {
	t.Helper()
	answers := []harness.Answer{
		owner.Do(harness.Request{Method: http.MethodGet, Path: contentPath(a)}),
		server.Do(t, harness.Request{Method: http.MethodGet, Path: contentPath(a), Header: http.Header{"Cookie": {"auth-token=" + owner.Token}}}),
		server.Do(t, harness.Request{Method: http.MethodGet, Path: pathOf(t, server, a.PreviewURL)}),
	}
	for n, answer := range answers {
		if answer.Status != http.StatusOK || !bytes.Equal(answer.Body, content) {
			t.Errorf("request %d: %d, %d bytes", n, answer.Status, len(answer.Body))
		}
		for name, value := range map[string]string{
			"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Content-Disposition": "inline; filename=red.png",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox", "Cache-Control": "no-store",
		} {
			if got := answer.Header.Get(name); got != value {
				t.Errorf("request %d: header %s is %q, want %q", n, name, got, value)
			}
		}
	}
}
