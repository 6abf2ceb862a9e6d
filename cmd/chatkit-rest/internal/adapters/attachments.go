package adapters

import (
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/internal/blob"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// OpenBlobs opens the store of ATTACHMENTS_URL.
func OpenBlobs(settings config.Settings) (blob.Blobs, error) {
	a := settings.Attachments
	blobs, err := blob.Open(blob.Options{
		Folder: a.Folder, Bucket: a.Bucket, Prefix: a.Prefix, Endpoint: a.Endpoint, Region: a.Region,
		AccessKey: a.AccessKey.Reveal(), SecretKey: a.SecretKey.Reveal(),
	})
	if err != nil {
		return nil, fmt.Errorf("ATTACHMENTS_URL: %w", err)
	}
	return blobs, nil
}
