package observe_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestTraceOfFileRequests checks that the traces of file requests have the spans of
// the file store.
func TestTraceOfFileRequests(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	server := traced(t, harness.SQLite, c, map[string]string{"ATTACHMENTS_URL": "file:///" + t.TempDir()})
	user := server.User(t)
	ask := func(body string) harness.Answer {
		return user.Do(harness.Request{Method: http.MethodPost, Path: "/api/v1/chatkit", Body: strings.NewReader(body)})
	}
	created := ask(`{"type":"attachments.create","params":{"name":"a.txt","mime_type":"text/plain","size":3}}`)
	var file struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(created.Body, &file); err != nil || created.Status != http.StatusOK {
		t.Fatalf("%d %s: %v", created.Status, created.Body, err)
	}
	put := user.Do(harness.Request{
		Method: http.MethodPut, Path: "/api/v1/attachments/" + file.ID + "/content",
		Header: http.Header{"Content-Type": {"text/plain"}}, Body: strings.NewReader("one"),
	})
	if put.Status != http.StatusNoContent {
		t.Fatalf("%d %s", put.Status, put.Body)
	}
	ask(`{"type":"attachments.delete","params":{"attachment_id":"` + file.ID + `"}}`)
	stop(t, server)
	spans := c.all()
	root := one(t, spans, "PUT /api/v1/attachments/:attachment_id/content", "")
	for name, parent := range map[string]string{
		"CreateAttachment": "", "Attachment": root.id, "ClaimUpload": root.id, "EndUpload": root.id, "DeleteAttachment": "",
	} {
		one(t, spans, "store "+name, parent)
	}
}
