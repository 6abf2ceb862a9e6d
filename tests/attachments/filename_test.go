package attachments_test

import (
	"net/http"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// File names lose folders, control characters and characters that reverse the
// text direction in every answer, in the history, in requests to the model and in
// Content-Disposition.
func TestFileNames(t *testing.T) {
	t.Parallel()
	onEach(t, nil, func(t *testing.T, server *harness.Server, _ fileStore) {
		alice := server.User(t)
		for name, want := range map[string]string{
			"../../etc/passwd": "passwd", `C:\fake\notes.txt`: "notes.txt",
			"invoice\u202etxt.exe": "invoicetxt.exe", "a\r\nb\x00.txt": "ab.txt",
		} {
			a := attach(t, server, alice, name, "text/plain", []byte("text"))
			thread, message := open(t, alice, "Read", a.ID)
			server.Upstream.Await(t, "Read\nAttached file \""+want+"\" (text/plain):\ntext")
			for where, got := range map[string]string{
				"attachments.create": a.Name, "the stream": message.Attachments[0].Name,
				"items.list":  items(t, alice, thread)[0].Attachments[0].Name,
				"the session": restAttachments(t, alice, thread)[0].Name,
			} {
				if got != want {
					t.Errorf("%q is %q in %s, want %q", name, got, where, want)
				}
			}
			answer := alice.Do(harness.Request{Method: http.MethodGet, Path: contentPath(a)})
			if got := answer.Header.Get("Content-Disposition"); got != "attachment; filename="+want {
				t.Errorf("Content-Disposition of %q is %s", name, got)
			}
		}
	})
}
