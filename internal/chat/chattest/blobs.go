// Package chattest has fakes of the core's ports for its tests.
package chattest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Blobs keep contents in memory, and fail where a test says so.
type Blobs struct {
	mu       sync.Mutex
	contents map[string][]byte
	broken   bool
	stuck    map[string]bool
}

// ErrBroken is the error of Blobs that fail.
var ErrBroken = errors.New("the store of contents is broken")

// NewBlobs returns an empty store.
func NewBlobs() *Blobs {
	return &Blobs{contents: make(map[string][]byte), stuck: make(map[string]bool)}
}

// Put implements [chat.Blobs].
func (b *Blobs) Put(_ context.Context, key string, _ int64, _ string, content io.Reader) error {
	data, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return ErrBroken
	}
	b.contents[key] = data
	return nil
}

// Open implements [chat.Blobs].
func (b *Blobs) Open(_ context.Context, key string) (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return nil, ErrBroken
	}
	data, ok := b.contents[key]
	if !ok {
		return nil, chat.ErrNoBlob
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// Delete implements [chat.Blobs].
func (b *Blobs) Delete(_ context.Context, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken || b.stuck[key] {
		return ErrBroken
	}
	delete(b.contents, key)
	return nil
}

// Fail makes every call fail, or none.
func (b *Blobs) Fail(broken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = broken
}

// ReplaceAll replaces every content.
func (b *Blobs) ReplaceAll(content string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key := range b.contents {
		b.contents[key] = []byte(content)
	}
}

// Count is the number of contents.
func (b *Blobs) Count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.contents)
}

// Clear removes every content.
func (b *Blobs) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.contents)
}

// HoldAll makes the present contents impossible to delete, or with false possible
// again.
func (b *Blobs) HoldAll(hold bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.stuck)
	for key := range b.contents {
		b.stuck[key] = hold
	}
}
