package blob_test

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/chatkit-rest/chatkit-rest/internal/blob"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// stores returns the options of a folder and of a bucket.
func stores(t *testing.T) map[string]blob.Options {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("files"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	return map[string]blob.Options{
		"disk": {Folder: filepath.Join(t.TempDir(), "new", "files")},
		"S3":   {Bucket: "files", Endpoint: server.URL, Region: "us-east-1", AccessKey: "key", SecretKey: "secret-key"},
	}
}

// TestBlobs checks the contract of chat.Blobs on each store.
func TestBlobs(t *testing.T) {
	t.Parallel()
	for name, options := range stores(t) {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // The server stops with the outer test.
			blobs, err := blob.Open(options)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = blobs.Close() })
			if err := blob.Check(t.Context(), blobs); err != nil {
				t.Errorf("check: %v", err)
			}
			testComplete(t, blobs)
			testIncomplete(t, blobs)
			testSuperseded(t, blobs)
		})
	}
}

// testComplete stores, replaces and deletes a content.
func testComplete(t *testing.T, blobs chat.Blobs) {
	t.Helper()
	for _, content := range []string{"one", "two, which replaces it"} {
		if err := blobs.Put(t.Context(), "ab/key", int64(len(content)), "text/plain", strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		if got := read(t, blobs, "ab/key"); got != content {
			t.Errorf("read %q, want %q", got, content)
		}
	}
	for range 2 { // Deleting a content that is gone is not an error.
		if err := blobs.Delete(t.Context(), "ab/key"); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	wantNone(t, blobs, "ab/key")
}

// testSuperseded has one Put store a content while another one of the same key,
// which then fails, is reading.
func testSuperseded(t *testing.T, blobs chat.Blobs) {
	t.Helper()
	reader, writer := io.Pipe()
	failed := make(chan error, 1)
	go func() { failed <- blobs.Put(t.Context(), "ab/twice", 8, "text/plain", reader) }()
	if _, err := io.WriteString(writer, "half"); err != nil {
		t.Fatal(err)
	}
	if err := blobs.Put(t.Context(), "ab/twice", 5, "text/plain", strings.NewReader("whole")); err != nil {
		t.Error(err)
	}
	writer.CloseWithError(errors.New("superseded"))
	if err := <-failed; err == nil {
		t.Error("the superseded Put returned no error")
	}
	if got := read(t, blobs, "ab/twice"); got != "whole" {
		t.Errorf("read %q", got)
	}
	if err := blobs.Put(t.Context(), "ab/twice", 5, "text/plain", strings.NewReader("third")); err != nil {
		t.Error(err)
	}
}

// testIncomplete checks that a Put that fails stores nothing.
func testIncomplete(t *testing.T, blobs chat.Blobs) {
	t.Helper()
	broken := errors.New("broken")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, put := range map[string]func() error{
		"a reader that fails": func() error {
			from := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))
			return blobs.Put(t.Context(), "ab/broken", 8, "text/plain", from)
		},
		"too few bytes": func() error {
			return blobs.Put(t.Context(), "ab/broken", 8, "text/plain", strings.NewReader("half"))
		},
		"a context that ended": func() error { return blobs.Put(ended, "ab/broken", 4, "text/plain", strings.NewReader("half")) },
	} {
		if err := put(); err == nil {
			t.Errorf("%s: no error", name)
		}
		wantNone(t, blobs, "ab/broken")
	}
}

func read(t *testing.T, blobs chat.Blobs, key string) string {
	t.Helper()
	reader, err := blobs.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func wantNone(t *testing.T, blobs chat.Blobs, key string) {
	t.Helper()
	if _, err := blobs.Open(t.Context(), key); !errors.Is(err, chat.ErrNoBlob) {
		t.Errorf("opening a content that is not there: %v, want ErrNoBlob", err)
	}
}

// TestDiskFolder checks that no key names a file outside of the folder, and that
// other users of the machine cannot read the files.
func TestDiskFolder(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	folder := filepath.Join(outside, "files")
	blobs, err := blob.Open(blob.Options{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	if err := blobs.Put(t.Context(), "../out", 1, "text/plain", strings.NewReader("x")); err == nil {
		t.Error("a key named a file outside of the folder")
	}
	if err := blobs.Put(t.Context(), "ab/in", 1, "text/plain", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(folder, "ab", "in"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Errorf("outside of the folder are %v, %v", entries, err)
	}
}
