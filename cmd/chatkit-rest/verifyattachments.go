package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/chatkit-rest/chatkit-rest/internal/blob"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// verifyAttachments checks the file store by writing, reading and deleting a
// file.
func verifyAttachments(ctx context.Context, settings config.Settings) (detail string, err error) {
	blobs, err := openBlobs(settings)
	if err != nil {
		return "", err
	}
	defer blobs.Close() //nolint:errcheck // Everything is written already.
	if err := blob.Check(ctx, blobs); err != nil {
		return "", fmt.Errorf("ATTACHMENTS_URL: %w", err)
	}
	place := "folder " + settings.Attachments.Folder
	if settings.Attachments.Bucket != "" {
		place = "bucket " + settings.Attachments.Bucket
	}
	user := "any number"
	if settings.Attachments.UserBytes > 0 {
		user = strconv.Itoa(settings.Attachments.UserBytes)
	}
	return fmt.Sprintf("%s can be written and read; %d bytes a file, %s a user", place, settings.Attachments.MaxBytes, user), nil
}
