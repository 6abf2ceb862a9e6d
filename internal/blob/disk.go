package blob

import (
	"context"
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
	// partSuffix is the suffix of a file that is being written. A process that
	// stops can leave one behind. It is never read, and the next Put or Delete of
	// its key removes it.
	partSuffix = ".part"
)

// disk stores contents in a folder, each in a file. Keys cannot name files
// outside of it.
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

// Put implements [chat.Blobs]. It renames the file to its key once the file is
// complete and synced.
func (d *disk) Put(ctx context.Context, key string, size int64, _ string, content io.Reader) error {
	if err := d.root.MkdirAll(path.Dir(key), folderMode); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	name := key + partSuffix
	file, err := d.createPart(name)
	if err != nil {
		return err
	}
	err = fill(ctx, file, size, content)
	current := d.isFile(name, file)
	if closeErr := file.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("close: %w", closeErr)
	}
	if err == nil {
		err = d.root.Rename(name, key)
	}
	if err != nil && current {
		_ = d.root.Remove(name) // The first error is the one to report.
	}
	return err
}

// createPart creates a file to write to. An abandoned Put of the same key may
// still write to an older file of this name, which createPart unlinks.
func (d *disk) createPart(name string) (*os.File, error) {
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the part of an earlier upload: %w", err)
	}
	file, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, fmt.Errorf("create: %w", err)
	}
	return file, nil
}

// isFile reports whether the name still refers to the open file.
func (d *disk) isFile(name string, file *os.File) bool {
	named, err := d.root.Lstat(name)
	if err != nil {
		return false
	}
	open, err := file.Stat()
	return err == nil && os.SameFile(named, open)
}

// fill writes the content to the file and syncs it.
func fill(ctx context.Context, file *os.File, size int64, content io.Reader) error {
	n, err := io.Copy(file, contextReader{ctx, content})
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

// contextReader stops reading when its context ends.
type contextReader struct {
	ctx  context.Context //nolint:containedctx // ctx is that of the one copy.
	from io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
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
	for _, name := range []string{key, key + partSuffix} {
		if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove: %w", err)
		}
	}
	return nil
}

func (d *disk) Close() error { return d.root.Close() }
