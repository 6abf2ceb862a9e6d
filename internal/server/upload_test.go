package server_test

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
)

// uploads is a handler that reads the content of an upload and reports how the
// reading ended.
type uploads struct {
	api.StrictServerInterface

	ended chan error
}

func (u uploads) UploadAttachment(
	_ context.Context, request api.UploadAttachmentRequestObject,
) (api.UploadAttachmentResponseObject, error) {
	_, err := io.Copy(io.Discard, request.Body)
	u.ended <- err
	return nil, errors.New("the upload ended")
}

// An upload ends when its client has sent nothing for 30 seconds, and after five
// minutes however its bytes arrive.
func TestUploadTimeouts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pause time.Duration // between two bytes
		want  time.Duration
	}{
		"no bytes":   {time.Hour, 30 * time.Second},
		"slow bytes": {20 * time.Second, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				handler := uploads{ended: make(chan error, 1)}
				client, _, authorization := connect(t, handler)
				go func() { _, _ = io.Copy(io.Discard, client) }()
				start := time.Now()
				send(t, client, "PUT /api/v1/attachments/3f0a9d52-6c1e-4b7a-9f43-2d5b8c7e1a60/content HTTP/1.1", "Host: test",
					"Content-Type: text/plain", "Content-Length: 1000", authorization, "", "x")
				next := time.NewTicker(c.pause)
				defer next.Stop()
				for {
					select {
					case err := <-handler.ended:
						if after := time.Since(start); after != c.want || !errors.Is(err, os.ErrDeadlineExceeded) {
							t.Errorf("the upload ended after %s with %v, want %s and a deadline", after, err, c.want)
						}
						return
					case <-next.C:
						_, _ = io.WriteString(client, "x") // It fails once the server has closed the connection.
					}
				}
			})
		})
	}
}
