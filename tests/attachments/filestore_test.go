package attachments_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// fileStore is a store for the contents of attachments.
type fileStore interface {
	settings() map[string]string
	// count returns the number of stored files.
	count(t *testing.T) int
}

type disk struct{ folder string }

func newDisk(t *testing.T) fileStore {
	t.Helper()
	return disk{filepath.Join(t.TempDir(), "files")}
}

func (d disk) settings() map[string]string {
	return map[string]string{"ATTACHMENTS_URL": "file:///" + d.folder} // The fourth slash begins an absolute path.
}

func (d disk) count(t *testing.T) int {
	t.Helper()
	files := 0
	err := fs.WalkDir(os.DirFS(d.folder), ".", func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

const bucketName = "files"

// s3 is an S3-compatible server.
type s3 struct {
	url     string
	backend *s3mem.Backend
	// failing makes it answer every request with 503.
	failing atomic.Bool
}

func newS3(t *testing.T) fileStore {
	t.Helper()
	return openS3(t)
}

func openS3(t *testing.T) *s3 {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(bucketName); err != nil {
		t.Fatal(err)
	}
	s := &s3{backend: backend}
	answer := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.failing.Load() {
			http.Error(w, "failing", http.StatusServiceUnavailable)
			return
		}
		answer.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *s3) settings() map[string]string {
	return map[string]string{
		"ATTACHMENTS_URL":       "s3://" + bucketName + "/some/prefix?endpoint=" + s.url + "&region=us-east-1",
		"AWS_ACCESS_KEY_ID":     "test",
		"AWS_SECRET_ACCESS_KEY": "test-secret-key",
	}
}

func (s *s3) count(t *testing.T) int {
	t.Helper()
	list, err := s.backend.ListBucket(bucketName, &gofakes3.Prefix{}, gofakes3.ListBucketPage{})
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range list.Contents {
		if len(object.Key) < len("some/prefix/") || object.Key[:len("some/prefix/")] != "some/prefix/" {
			t.Errorf("object %s is outside of the prefix", object.Key)
		}
	}
	return len(list.Contents)
}
