package mcp

import (
	"context"
	"io"
	"net/http"
	"time"
)

const (
	// noticesPause is the pause before the stream of notices is opened again.
	// It doubles up to maxNoticesPause while streams end at once.
	noticesPause    = time.Second
	maxNoticesPause = time.Minute
)

// notices returns the stream of the server's notices, such as changes of its
// tools. The stream is optional. So the answer is always a stream, which lasts
// as long as the connection: behind it the server's stream is opened as often
// as it ends, unless the server has none.
func (t *httpTransport) notices(request *http.Request) *http.Response {
	reader, writer := io.Pipe()
	go func() {
		t.copyNotices(request, writer)
		_ = writer.Close() // It always returns nil.
	}()
	return streamOf(request, reader)
}

// copyNotices copies the server's streams until the connection ends.
func (t *httpTransport) copyNotices(request *http.Request, out io.Writer) {
	ctx, cancel := context.WithCancel(request.Context())
	defer cancel()
	defer context.AfterFunc(t.life, cancel)()
	pause := noticesPause
	for ctx.Err() == nil {
		opened := time.Now()
		if !t.copyStream(request, out) {
			<-ctx.Done()
			return
		}
		if time.Since(opened) > maxNoticesPause {
			pause = noticesPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, maxNoticesPause)
	}
}

// copyStream copies one stream to its end. It returns false if the server has
// no such stream.
func (t *httpTransport) copyStream(request *http.Request, out io.Writer) (again bool) {
	response, err := t.send(request)
	if err != nil {
		return true
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == http.StatusOK && mediaType(response) == eventStream {
		_, _ = io.Copy(out, newEventReader(response.Body, t.sanitize, t.log)) // Its end is followed by another stream.
		return true
	}
	return isTemporary(response.StatusCode)
}

func streamOf(request *http.Request, content io.ReadCloser) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Status: http.StatusText(http.StatusOK), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {eventStream}}, Body: content, Request: request, ContentLength: -1,
	}
}
