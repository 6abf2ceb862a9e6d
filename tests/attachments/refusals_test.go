package attachments_test

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

const script = "<script>alert(1)</script>"

// Files of other users, invalid files and invalid signatures are refused.
func TestRefusals(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"ATTACHMENT_MAX_BYTES": "4096", "ATTACHMENT_MAX_BYTES_PER_USER": "245760",
		"ATTACHMENT_TYPES": "image/png, image/jpeg, text/plain, application/json, text/html, application/pdf",
	}
	onEach(t, env, func(t *testing.T, server *harness.Server, _ fileStore) {
		for name, check := range map[string]func(*testing.T, *harness.Server){
			"create": checkCreate, "content": checkContent, "second upload": checkSecondUpload, "another user": checkOtherUser,
			"signed URLs": checkSignedURLs, "messages": checkMessages, "delete": checkDelete, "unsent files": checkUnsentLimit,
			"bytes": checkBytesLimit, "HTML": checkHTMLIsDownloaded, "PDF": checkUnsupportedByModel, "REST messages": checkRESTMessages,
		} {
			t.Run(name, func(t *testing.T) { check(t, server) })
		}
	})
}

func checkCreate(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	want(t, announce(alice, "a.png", "image/png", 4097), 413, "REQUEST_TOO_LARGE")
	want(t, announce(alice, "a.svg", "image/svg+xml", 10), 415, "UNSUPPORTED_MEDIA_TYPE")
	want(t, announce(alice, "a.exe", "application/octet-stream", 10), 415, "UNSUPPORTED_MEDIA_TYPE")
	want(t, announce(alice, "a.png", "image/png", 0), 400, "INVALID_REQUEST")
	want(t, announce(alice, "a.png", "image/png", -1), 400, "INVALID_REQUEST")
	want(t, announce(alice, " ", "image/png", 10), 400, "INVALID_REQUEST")
	want(t, announce(alice, "../..", "image/png", 10), 400, "INVALID_REQUEST")
	want(t, announce(alice, strings.Repeat("a", 256), "image/png", 10), 400, "INVALID_REQUEST")
	want(t, ask(alice, "attachments.create", map[string]any{"name": "a.png", "size": 1}), 400, "INVALID_REQUEST")
	create(t, alice, "a.txt", "Text/Plain; charset=utf-8", 4096)
}

func checkContent(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	image := picture(t)
	for name, bad := range map[string]struct {
		mimeType string
		size     int
		content  []byte
		status   int
		code     string
	}{
		"a script as a picture": {"image/png", len(script), []byte(script), 415, "UNSUPPORTED_MEDIA_TYPE"},
		"a PNG as JPEG":         {"image/jpeg", len(image), image, 415, "UNSUPPORTED_MEDIA_TYPE"},
		"too short":             {"image/png", len(image) + 1, image, 400, "INVALID_REQUEST"},
		"too long":              {"image/png", len(image) - 1, image, 413, "REQUEST_TOO_LARGE"},
		"no text":               {"text/plain", 3, []byte("a\xff\xfe"), 415, "UNSUPPORTED_MEDIA_TYPE"},
		"a cut character":       {"text/plain", 2, []byte("a\xc3"), 415, "UNSUPPORTED_MEDIA_TYPE"},
		"a NUL":                 {"application/json", 3, []byte("1\x002"), 415, "UNSUPPORTED_MEDIA_TYPE"},
		"nothing":               {"text/plain", 1, nil, 400, "INVALID_REQUEST"},
	} {
		a := create(t, alice, name, bad.mimeType, bad.size)
		want(t, upload(t, server, a, bad.content), bad.status, bad.code)
		want(t, alice.Do(harness.Request{Method: http.MethodGet, Path: contentPath(a)}), 409, "ATTACHMENT_CONFLICT")
		answer := ask(alice, "threads.create", map[string]any{"input": input("Hello", a.ID)})
		want(t, answer, 409, "ATTACHMENT_CONFLICT")
	}
	// After a refusal the right content can be sent.
	a := create(t, alice, "again.png", "image/png", len(image))
	want(t, upload(t, server, a, bytes.Repeat([]byte("x"), len(image))), 415, "UNSUPPORTED_MEDIA_TYPE")
	want(t, upload(t, server, a, image), http.StatusNoContent, "")
	if total := alice.Sessions().Meta.Total; total != 0 {
		t.Errorf("refused messages left %d threads", total)
	}
}

func checkSecondUpload(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	a := attach(t, server, alice, "a.txt", "text/plain", []byte("one"))
	want(t, upload(t, server, a, []byte("two")), 409, "ATTACHMENT_CONFLICT")
	if got := alice.Do(harness.Request{Method: http.MethodGet, Path: contentPath(a)}); string(got.Body) != "one" {
		t.Errorf("the file is %q", got.Body)
	}
	// The owner can also upload with a token instead of a signature.
	b := create(t, alice, "b.txt", "text/plain", 3)
	answer := alice.Do(harness.Request{
		Method: http.MethodPut, Path: contentPath(b), Header: http.Header{"Content-Type": {"text/plain"}}, Body: strings.NewReader("one"),
	})
	want(t, answer, http.StatusNoContent, "")
}

// checkOtherUser tries every operation on another user's file.
func checkOtherUser(t *testing.T, server *harness.Server) {
	alice, bob := server.User(t), server.User(t)
	a := create(t, alice, "a.txt", "text/plain", 3)
	put := func() harness.Request {
		return harness.Request{
			Method: http.MethodPut, Path: contentPath(a), Header: http.Header{"Content-Type": {"text/plain"}}, Body: strings.NewReader("bob"),
		}
	}
	want(t, bob.Do(put()), 403, "FORBIDDEN")
	want(t, server.Do(t, put()), 401, "UNAUTHORIZED")
	want(t, upload(t, server, a, []byte("one")), http.StatusNoContent, "")
	get := harness.Request{Method: http.MethodGet, Path: contentPath(a)}
	want(t, bob.Do(get), 403, "FORBIDDEN")
	want(t, server.Do(t, get), 401, "UNAUTHORIZED")
	want(t, ask(bob, "attachments.delete", map[string]any{"attachment_id": a.ID}), 403, "FORBIDDEN")
	want(t, ask(bob, "threads.create", map[string]any{"input": input("Hello", a.ID)}), 403, "FORBIDDEN")
	thread, _ := open(t, bob, "Hello")
	want(t, say(bob, thread, "Hello", a.ID), 403, "FORBIDDEN")
	if got := alice.Do(get); string(got.Body) != "one" {
		t.Errorf("the file is %q", got.Body)
	}
}

// checkSignedURLs checks that a signature permits one use of one file.
func checkSignedURLs(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	image := picture(t)
	a, b := create(t, alice, "a.png", "image/png", len(image)), create(t, alice, "b.png", "image/png", len(image))
	upload := pathOf(t, server, a.Upload.URL)
	place, signature, _ := strings.Cut(upload, "?signature=")
	_, digest, _ := strings.Cut(signature, ".")
	for name, path := range map[string]string{
		"another file":      strings.Replace(upload, a.ID, b.ID, 1),
		"a longer life":     place + "?signature=4102444800." + digest,
		"no signature":      place + "?signature=x",
		"a preview's":       pathOf(t, server, a.PreviewURL),
		"no time at all":    place + "?signature=" + digest,
		"another signature": place + "?signature=4102444800." + strings.Repeat("A", 43),
	} {
		answer := server.Do(t, harness.Request{
			Method: http.MethodPut, Path: path, Header: http.Header{"Content-Type": {"image/png"}}, Body: bytes.NewReader(image),
		})
		if answer.Status != 403 {
			t.Errorf("%s: %d %s", name, answer.Status, answer.Body)
		}
	}
	want(t, server.Do(t, harness.Request{Method: http.MethodGet, Path: upload}), 403, "FORBIDDEN")
	// A signature permits no other operation.
	want(t, server.Do(t, harness.Request{Method: http.MethodGet, Path: harness.SessionsPath + "?signature=x"}), 401, "UNAUTHORIZED")
}

func checkMessages(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	a := attach(t, server, alice, "a.txt", "text/plain", []byte("one"))
	want(t, ask(alice, "threads.create", map[string]any{"input": input("Hello", uuid.NewString())}), 404, "ATTACHMENT_NOT_FOUND")
	want(t, ask(alice, "threads.create", map[string]any{"input": input("Hello", "none")}), 400, "INVALID_REQUEST")
	want(t, ask(alice, "threads.create", map[string]any{"input": input("Hello", a.ID, a.ID)}), 400, "INVALID_REQUEST")
	if total := alice.Sessions().Meta.Total; total != 0 {
		t.Errorf("refused messages left %d threads", total)
	}
	thread, _ := open(t, alice, "", a.ID) // A file alone is a message.
	if title := alice.Sessions().Data[0].Title; title == nil || *title != "a.txt" {
		t.Errorf("the title is %v", title)
	}
	want(t, say(alice, thread, "Again", a.ID), 409, "ATTACHMENT_CONFLICT")
	if got := len(items(t, alice, thread)); got != 2 {
		t.Errorf("the thread has %d items after a refused message", got)
	}
	want(t, ask(alice, "attachments.delete", map[string]any{"attachment_id": a.ID}), 409, "ATTACHMENT_CONFLICT")
	want(t, ask(alice, "threads.create", map[string]any{"input": input(" ")}), 400, "EMPTY_MESSAGE")
}

func checkDelete(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	a := attach(t, server, alice, "a.txt", "text/plain", []byte("one"))
	answer := ask(alice, "attachments.delete", map[string]any{"attachment_id": a.ID})
	if answer.Status != http.StatusOK || strings.TrimSpace(string(answer.Body)) != "{}" {
		t.Errorf("deleting answered %d %s", answer.Status, answer.Body)
	}
	want(t, alice.Do(harness.Request{Method: http.MethodGet, Path: contentPath(a)}), 404, "ATTACHMENT_NOT_FOUND")
	want(t, ask(alice, "attachments.delete", map[string]any{"attachment_id": a.ID}), 404, "ATTACHMENT_NOT_FOUND")
	want(t, ask(alice, "threads.create", map[string]any{"input": input("Hello", a.ID)}), 404, "ATTACHMENT_NOT_FOUND")
}

func checkUnsentLimit(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	var last attachment
	for n := range 50 {
		last = create(t, alice, strconv.Itoa(n)+".txt", "text/plain", 1)
	}
	want(t, announce(alice, "51.txt", "text/plain", 1), 429, "ATTACHMENT_LIMIT")
	ask(alice, "attachments.delete", map[string]any{"attachment_id": last.ID})
	create(t, alice, "51.txt", "text/plain", 1)
}

// checkBytesLimit checks that the limit of a user's bytes includes sent files, and
// that deleting frees them.
func checkBytesLimit(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	content := bytes.Repeat([]byte("x"), 4096)
	threads := make([]string, 3)
	for n := range threads {
		ids := make([]string, 20)
		for file := range ids {
			ids[file] = attach(t, server, alice, strconv.Itoa(file)+".txt", "text/plain", content).ID
		}
		threads[n], _ = open(t, alice, "Look", ids...)
	}
	refused := announce(alice, "61.txt", "text/plain", 1)
	want(t, refused, 429, "ATTACHMENT_LIMIT")
	if !strings.Contains(refused.Message(), "245760 bytes") {
		t.Errorf("the message does not name the limit: %s", refused.Message())
	}
	create(t, server.User(t), "1.txt", "text/plain", 4096)
	alice.DeleteSession(uuid.MustParse(threads[0]))
	last := create(t, alice, "61.txt", "text/plain", 4096)
	for range 19 {
		create(t, alice, "more.txt", "text/plain", 1)
	}
	want(t, announce(alice, "81.txt", "text/plain", 1), 429, "ATTACHMENT_LIMIT")
	ask(alice, "attachments.delete", map[string]any{"attachment_id": last.ID})
	create(t, alice, "81.txt", "text/plain", 4096)
}

// checkHTMLIsDownloaded checks that a browser does not run an HTML file.
func checkHTMLIsDownloaded(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	a := attach(t, server, alice, "a \"page\".html", "text/html", []byte(script))
	answer := alice.Do(harness.Request{Method: http.MethodGet, Path: contentPath(a)})
	if got := answer.Header.Get("Content-Disposition"); got != `attachment; filename="a \"page\".html"` {
		t.Errorf("Content-Disposition is %s", got)
	}
	if got := answer.Header.Get("Content-Security-Policy"); !strings.Contains(got, "sandbox") {
		t.Errorf("Content-Security-Policy is %s", got)
	}
}

// checkUnsupportedByModel checks that the model is sent only the name of a file
// that is neither an image nor a text.
func checkUnsupportedByModel(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	a := attach(t, server, alice, "a.pdf", "application/pdf", []byte("%PDF-1.7"))
	open(t, alice, "A report", a.ID)
	want := "A report\nAttached file \"a.pdf\" (application/pdf, 8 bytes); its content cannot be shown here."
	server.Upstream.Await(t, want)
}

// Without ATTACHMENTS_URL every operation with attachments is refused.
func TestAttachmentsOff(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Database: harness.SQLite})
	alice := server.User(t)
	want(t, announce(alice, "a.png", "image/png", 10), 404, "NOT_SUPPORTED")
	want(t, ask(alice, "attachments.delete", map[string]any{"attachment_id": uuid.NewString()}), 404, "NOT_SUPPORTED")
	want(t, ask(alice, "threads.create", map[string]any{"input": input("Hello", uuid.NewString())}), 404, "NOT_SUPPORTED")
	want(t, sendREST(t, alice, alice.CreateSession(), "Hello", uuid.NewString()), 404, "NOT_SUPPORTED")
	path := "/api/v1/attachments/" + uuid.NewString() + "/content"
	want(t, alice.Do(harness.Request{Method: http.MethodGet, Path: path}), 404, "NOT_SUPPORTED")
	put := harness.Request{Method: http.MethodPut, Path: path, Header: http.Header{"Content-Type": {"image/png"}}, Body: strings.NewReader("x")}
	want(t, alice.Do(put), 404, "NOT_SUPPORTED")
}

// A file of the maximum size can be uploaded, also without Content-Length. The
// model is sent its beginning.
func TestLargestFile(t *testing.T) {
	t.Parallel()
	onEach(t, nil, func(t *testing.T, server *harness.Server, _ fileStore) {
		alice := server.User(t)
		content := bytes.Repeat([]byte("0123456789abcde\n"), 10<<20/16)
		a := create(t, alice, "a.txt", "text/plain", len(content))
		answer := alice.Do(harness.Request{
			Method: http.MethodPut, Path: contentPath(a), Header: http.Header{"Content-Type": {"text/plain"}},
			Body: io.MultiReader(bytes.NewReader(content)), // chunked
		})
		want(t, answer, http.StatusNoContent, "")
		if got := alice.Do(harness.Request{Method: http.MethodGet, Path: contentPath(a)}); !bytes.Equal(got.Body, content) {
			t.Errorf("%d bytes came back", len(got.Body))
		}
		open(t, alice, "Long", a.ID)
		head := "Long\nAttached file \"a.txt\" (text/plain), its beginning:\n"
		server.Upstream.Await(t, head+string(content[:32000]))
	})
}

// While the file store is unreachable, requests fail without naming its address.
// Afterwards the same upload succeeds.
func TestUnreachableFileStore(t *testing.T) {
	t.Parallel()
	s3 := openS3(t)
	server := harness.Start(t, harness.Options{Database: harness.SQLite, Env: s3.settings()})
	alice := server.User(t)
	image := picture(t)
	a, sent := create(t, alice, "a.png", "image/png", len(image)), attach(t, server, alice, "b.png", "image/png", image)
	thread, _ := open(t, alice, "Look", sent.ID)
	s3.failing.Store(true)
	get := harness.Request{Method: http.MethodGet, Path: contentPath(sent)}
	for name, answer := range map[string]harness.Answer{"upload": upload(t, server, a, image), "read": alice.Do(get)} {
		want(t, answer, 503, "SERVICE_UNAVAILABLE")
		if body := string(answer.Body); strings.Contains(body, "127.0.0.1") || strings.Contains(body, bucketName+"/") {
			t.Errorf("%s names the file store: %s", name, body)
		}
	}
	answer := say(alice, thread, "Again")
	if all := events(t, answer); all[len(all)-1].Type != "error" {
		t.Errorf("a run without its files ends with %s", all[len(all)-1].Type)
	}
	refused := sendREST(t, alice, uuid.MustParse(thread), "Again")
	want(t, refused, 503, "SERVICE_UNAVAILABLE")
	if refused.Header.Get("X-Run-Id") == "" {
		t.Error("the answer does not show that the message was saved")
	}
	alice.DeleteSession(uuid.MustParse(thread)) // The content is deleted by a later sweep.
	s3.failing.Store(false)
	want(t, upload(t, server, a, image), http.StatusNoContent, "")
	ask(alice, "attachments.delete", map[string]any{"attachment_id": a.ID}) // This requests a sweep.
	harness.Eventually(t, harness.WaitTimeout, "the files are deleted", func() bool { return s3.count(t) == 0 })
}
