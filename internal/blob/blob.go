// Package blob keeps the contents of attachments: in a folder, or in a bucket
// of an S3-compatible store.
package blob

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Options say where contents are kept: in Folder, or else in Bucket.
type Options struct {
	Folder string

	Bucket string
	// Prefix goes before every key.
	Prefix string
	// Endpoint is the store's URL; empty is Amazon's.
	Endpoint string
	// Region is empty where the store is to be asked.
	Region string
	// AccessKey is empty where the machine has a role.
	AccessKey string
	SecretKey string
}

// Blobs are an open store.
type Blobs interface {
	chat.Blobs

	Close() error
}

// Open opens the store. It makes the folder; of a bucket it asks nothing yet.
func Open(o Options) (Blobs, error) {
	if o.Folder != "" {
		return openDisk(o.Folder)
	}
	return openBucket(o)
}

// Check sees that contents can be written, read and deleted.
func Check(ctx context.Context, blobs Blobs) error {
	const content = "chatkit-rest"
	key := probeKey()
	if err := blobs.Put(ctx, key, int64(len(content)), "text/plain", strings.NewReader(content)); err != nil {
		return fmt.Errorf("cannot write: %w", err)
	}
	reader, err := blobs.Open(ctx, key)
	if err != nil {
		return fmt.Errorf("cannot read: %w", err)
	}
	defer reader.Close()
	got, err := io.ReadAll(reader)
	if err != nil || string(got) != content {
		return fmt.Errorf("reads other than was written: %w", err)
	}
	if err := blobs.Delete(ctx, key); err != nil {
		return fmt.Errorf("cannot delete: %w", err)
	}
	return nil
}
