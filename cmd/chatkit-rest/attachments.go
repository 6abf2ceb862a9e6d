package main

import (
	"context"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/cmd/chatkit-rest/internal/adapters"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/attachments"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// urlKeyName is the name of the stored key that signs URLs of attachments.
const urlKeyName = "attachment links"

// newAttachments opens the file store. If none is configured, the service refuses
// files.
func (a *assembly) newAttachments(ctx context.Context, settings config.Settings, store chat.AttachmentStore) (*attachments.Service, error) {
	if !settings.Attachments.IsSet() {
		return attachments.New(attachments.Options{Store: store, Logger: a.logger}), nil
	}
	blobs, err := adapters.OpenBlobs(settings)
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, func() { _ = blobs.Close() })
	key, err := a.store.Secret(ctx, urlKeyName)
	if err != nil {
		return nil, fmt.Errorf("read the key of signed URLs from the database: %w", err)
	}
	return attachments.New(attachments.Options{
		Store: store, Logger: a.logger,
		Blobs: blobs, MaxBytes: int64(settings.Attachments.MaxBytes), UserBytes: int64(settings.Attachments.UserBytes),
		Types: settings.Attachments.Types, URLKey: []byte(key),
	}), nil
}
