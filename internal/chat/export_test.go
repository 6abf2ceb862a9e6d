package chat

import (
	"context"
	"time"
)

// HoldFiles bounds what the service's runs hold of files otherwise than it does.
func (s *Service) HoldFiles(limit int64, wait time.Duration) { s.files = newFileHold(limit, wait) }

// Hold holds as many bytes as files would.
func (s *Service) Hold(ctx context.Context, size int64) (release func(), err error) {
	return s.files.hold(ctx, size)
}
