package runs

import (
	"context"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat/prompt"
)

// SetFileMemory changes the limit of the memory for files.
func (s *Service) SetFileMemory(limit int64, wait time.Duration) {
	s.files.Memory = prompt.NewFileMemory(limit, wait)
}

// AcquireFileMemory acquires memory as a run with files does.
func (s *Service) AcquireFileMemory(ctx context.Context, size int64) (release func(), err error) {
	return s.files.Memory.Acquire(ctx, size)
}
