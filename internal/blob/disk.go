package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	folderMode = 0o700
	fileMode   = 0o600
	// unfinished is the ending of a file that is being written; a stop may
	// leave one, which nobody reads and the next Put of its key replaces.
	unfinished = ".part"
)

// disk keeps contents in a folder, a file each. Keys cannot lead out of it.
type disk struct{ root *os.Root }

func openDisk(folder string) (*disk, error) {
	if err := os.MkdirAll(folder, folderMode); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open the folder: %w", err)
	}
	return &disk{root}, nil
}

// Put implements [chat.Blobs]. The file has its name only when it is whole and
// on the disk.
func (d *disk) Put(ctx context.Context, key string, size int64, _ string, content io.Reader) error {
	if err := d.root.MkdirAll(path.Dir(key), folderMode); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	name := key + unfinished
	file, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	err = fill(ctx, file, size, content)
	if closeErr := file.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("close: %w", closeErr)
	}
	if err == nil {
		err = d.root.Rename(name, key)
	}
	if err != nil {
		_ = d.root.Remove(name) // The first error tells.
		return err
	}
	return nil
}

func fill(ctx context.Context, file *os.File, size int64, content io.Reader) error {
	n, err := io.Copy(file, untilEnd{ctx, content})
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if n != size {
		return fmt.Errorf("the content has %d bytes, not %d: %w", n, size, io.ErrUnexpectedEOF)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	return nil
}

// untilEnd stops reading when its context ends.
type untilEnd struct {
	ctx  context.Context //nolint:containedctx // of the one copy that it is made for
	from io.Reader
}

func (u untilEnd) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.from.Read(p)
}

// Open implements [chat.Blobs].
func (d *disk) Open(_ context.Context, key string) (io.ReadCloser, error) {
	file, err := d.root.Open(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, chat.ErrNoBlob
	}
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	return file, nil
}

// Delete implements [chat.Blobs].
func (d *disk) Delete(_ context.Context, key string) error {
	for _, name := range []string{key, key + unfinished} {
		if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove: %w", err)
		}
	}
	return nil
}

func (d *disk) Close() error { return d.root.Close() }

// probeKey is of no attachment.
func probeKey() string { return "probe/" + rand.Text() }
