package verify

import (
	"context"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/cmd/chatkit-rest/internal/adapters"
	"github.com/chatkit-rest/chatkit-rest/internal/blob"
)

// checkAttachments checks the file store by writing, reading and deleting a
// file.
func (c checker) checkAttachments(ctx context.Context) (detail string, err error) {
	blobs, err := adapters.OpenBlobs(c.settings)
	if err != nil {
		return "", err
	}
	defer blobs.Close() //nolint:errcheck // Everything is written already.
	if err := blob.Check(ctx, blobs); err != nil {
		return "", fmt.Errorf("ATTACHMENTS_URL: %w", err)
	}
	place := "folder " + c.settings.Attachments.Folder
	if c.settings.Attachments.Bucket != "" {
		place = "bucket " + c.settings.Attachments.Bucket
	}
	user := "no limit"
	if c.settings.Attachments.UserBytes > 0 {
		user = fmt.Sprintf("%d bytes", c.settings.Attachments.UserBytes)
	}
	return fmt.Sprintf("%s is readable and writable; %d bytes per file, %s per user", place, c.settings.Attachments.MaxBytes, user), nil
}
