// Package blob stores the contents of attachments in a folder or in a bucket of
// an S3-compatible store.
package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Options say where contents are stored: in Folder, or in Bucket if Folder is
// empty.
type Options struct {
	Folder string

	Bucket string
	// Prefix precedes every key.
	Prefix string
	// Endpoint is the URL of the store; empty for Amazon S3.
	Endpoint string
	// Region is looked up if it is empty.
	Region string
	// AccessKey is empty to use the machine's IAM role.
	AccessKey string
	SecretKey string
}

// Blobs are an open store of contents.
type Blobs interface {
	chat.Blobs

	Close() error
}

// Open opens the store. It creates the folder; it makes no request to a bucket.
func Open(o Options) (Blobs, error) {
	if o.Folder != "" {
		return openDisk(o.Folder)
	}
	return openBucket(o)
}

// Check returns an error unless contents can be written, read and deleted.
func Check(ctx context.Context, blobs Blobs) error {
	const content = "chatkit-rest"
	key := "probe/" + rand.Text() // No attachment has this key.
	if err := blobs.Put(ctx, key, int64(len(content)), "text/plain", strings.NewReader(content)); err != nil {
		return fmt.Errorf("cannot write: %w", err)
	}
	reader, err := blobs.Open(ctx, key)
	if err != nil {
		return fmt.Errorf("cannot read: %w", err)
	}
	defer reader.Close()
	got, err := io.ReadAll(reader)
	if err != nil {
		return fmt.Errorf("cannot read: %w", err)
	}
	if string(got) != content {
		return errors.New("the content that was read differs from the one that was written")
	}
	if err := blobs.Delete(ctx, key); err != nil {
		return fmt.Errorf("cannot delete: %w", err)
	}
	return nil
}
