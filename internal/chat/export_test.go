package chat

import (
	"context"
	"time"
)

// SetFileMemory changes the limit of the memory for files.
func (s *Service) SetFileMemory(limit int64, wait time.Duration) {
	s.fileMemory = newFileMemory(limit, wait)
}

// AcquireFileMemory acquires memory as a run with files does.
func (s *Service) AcquireFileMemory(ctx context.Context, size int64) (release func(), err error) {
	return s.fileMemory.acquire(ctx, size)
}
