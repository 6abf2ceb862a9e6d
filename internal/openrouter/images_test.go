package openrouter

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"runtime"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// TestImagesAreCopiedOnce checks that encoding a request copies its images only once,
// so that the core's bound of file bytes bounds the memory.
//
//nolint:paralleltest // it measures the allocations of the process
func TestImagesAreCopiedOnce(t *testing.T) {
	large, small := bytes.Repeat([]byte("0123456789ab"), 1<<20), []byte("small")
	request := chat.ModelRequest{Messages: []chat.Message{
		{Role: chat.RoleUser, Content: "Look", Images: []chat.Image{{MimeType: "image/png", Data: large}, {MimeType: "image/gif", Data: small}}},
		{Role: chat.RoleUser, Images: []chat.Image{{MimeType: "image/webp", Data: large}}},
	}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	body, err := requestBody(request, &Options{})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if took, most := after.TotalAlloc-before.TotalAlloc, uint64(len(body))+1<<20; took > most {
		t.Errorf("a body of %d bytes took %d", len(body), took)
	}
	var sent struct {
		Messages []struct {
			Content []requestPart `json:"content"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		t.Fatal(err)
	}
	first, second := sent.Messages[0].Content, sent.Messages[1].Content
	for name, pair := range map[string][2]string{
		"the first":  {first[1].ImageURL.URL, "data:image/png;base64," + base64.StdEncoding.EncodeToString(large)},
		"the second": {first[2].ImageURL.URL, "data:image/gif;base64," + base64.StdEncoding.EncodeToString(small)},
		"the third":  {second[0].ImageURL.URL, "data:image/webp;base64," + base64.StdEncoding.EncodeToString(large)},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s image is %.60q, want %.60q", name, pair[0], pair[1])
		}
	}
}
