package rest_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/attachments"
	"github.com/chatkit-rest/chatkit-rest/internal/rest"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
)

const (
	alice = "alice"
	// fileBytes is far more than what the connection takes in unread.
	fileBytes = 64 << 20
)

// zeros is a store of files that are all zeros, and so none of them is kept.
type zeros struct{ read chan error }

func (zeros) Put(_ context.Context, _ string, _ int64, _ string, content io.Reader) error {
	_, err := io.Copy(io.Discard, content)
	return err
}

func (z zeros) Open(ctx context.Context, _ string) (io.ReadCloser, error) {
	return &zeroFile{ctx: ctx, left: fileBytes, closed: z.read}, nil
}

func (zeros) Delete(context.Context, string) error { return nil }

// zeroFile can be read as long as its request goes on, as one of a store that
// is asked over a network.
type zeroFile struct {
	ctx    context.Context //nolint:containedctx // of the one request that it is opened for
	left   int
	closed chan error
}

func (f *zeroFile) Read(p []byte) (int, error) {
	if err := f.ctx.Err(); err != nil {
		return 0, err
	}
	if f.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), f.left)
	clear(p[:n])
	f.left -= n
	return n, nil
}

func (f *zeroFile) Close() error {
	if f.left > 0 {
		f.closed <- errors.New("it was not read to its end")
	}
	close(f.closed)
	return nil
}

// serveFile serves a file by a server whose own time-outs are short, to
// clients that may take nothing for a while. What it returns last tells when
// the file was closed, and an error if that was before its end.
func serveFile(t *testing.T, serverTimeout, writeTimeout time.Duration) (url string, closed <-chan error) {
	t.Helper()
	blobs := zeros{make(chan error, 1)}
	service, id := oneFile(t, blobs)
	handler := rest.New(rest.Options{Attachments: service, WriteTimeout: writeTimeout})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := auth.WithPrincipal(r.Context(), auth.Principal{UserID: alice})
		answer, err := handler.GetAttachment(ctx, api.GetAttachmentRequestObject{AttachmentID: id})
		if err == nil {
			err = answer.VisitGetAttachmentResponse(w)
		}
		if err != nil {
			t.Error(err)
		}
	}))
	server.Config.ReadTimeout, server.Config.WriteTimeout = serverTimeout, serverTimeout
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, blobs.read
}

func oneFile(t *testing.T, blobs chat.Blobs) (*attachments.Service, uuid.UUID) {
	t.Helper()
	db, err := database.Open(t.Context(), database.Config{Driver: database.SQLite, Path: filepath.Join(t.TempDir(), "chatkit.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	service := attachments.New(attachments.Options{
		Store: store.New(db), Blobs: blobs, MaxBytes: fileBytes, Types: []string{"application/pdf"}, URLKey: []byte("key"),
	})
	a, err := service.Create(t.Context(), alice, "long.pdf", "application/pdf", fileBytes)
	if err != nil {
		t.Fatal(err)
	}
	content := &zeroFile{ctx: t.Context(), left: fileBytes, closed: make(chan error, 1)}
	if err := service.Upload(t.Context(), a.ID, attachments.Access{UserID: alice}, content); err != nil {
		t.Fatal(err)
	}
	return service, a.ID
}

// get asks for the file, and has the answer's headers and body read by the
// caller alone.
func get(t *testing.T, url string) *http.Response {
	t.Helper()
	address := strings.TrimPrefix(url, "http://")
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: test\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// A file goes to a slow reader whole, whatever the server's time-outs are.
func TestSlowReaderGetsItsFile(t *testing.T) {
	t.Parallel()
	const serverTimeout = 100 * time.Millisecond
	url, closed := serveFile(t, serverTimeout, time.Minute)
	response := get(t, url)
	defer response.Body.Close()
	select {
	case err := <-closed:
		t.Fatalf("the file is closed while its reader waits: %v", err)
	case <-time.After(4 * serverTimeout):
	}
	if n, err := io.Copy(io.Discard, response.Body); n != fileBytes || err != nil {
		t.Errorf("read %d bytes and %v, want %d", n, err, fileBytes)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// A reader that has stopped reading does not keep its file open.
func TestStuckReaderLosesItsFile(t *testing.T) {
	t.Parallel()
	url, closed := serveFile(t, 0, 100*time.Millisecond)
	response := get(t, url)
	defer response.Body.Close()
	select {
	case err := <-closed:
		if err == nil {
			t.Error("the connection took the whole file, unread")
		}
	case <-time.After(20 * time.Second):
		t.Error("a reader that stopped reading was not noticed")
	}
}
