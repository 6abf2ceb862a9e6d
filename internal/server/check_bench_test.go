package server

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/document"
)

// BenchmarkCheck tells what holding a request against openapi.yaml adds to a
// POST with a body: the same route with the check and without.
func BenchmarkCheck(b *testing.B) {
	doc, err := NewDocument(b.Context(), document.YAML, DocumentValues{
		ServerURL: "http://127.0.0.1:8080", MessageChars: 500, SessionsPerUser: 10, RequestsPerMinute: 30,
	})
	if err != nil {
		b.Fatal(err)
	}
	check, err := newChecker(Options{Document: doc, MaxBody: 1 << 20, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	readAll := func(c *gin.Context) { _, _ = io.Copy(io.Discard, c.Request.Body) }
	b.Run("with", func(b *testing.B) { benchmarkPost(b, check.middleware, readAll) })
	b.Run("without", func(b *testing.B) { benchmarkPost(b, readAll) })
}

func benchmarkPost(b *testing.B, handlers ...gin.HandlerFunc) {
	b.Helper()
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.POST("/api/v1/chatkit/sessions/:session_id/threads/:thread_id/runs", handlers...)
	id := uuid.NewString()
	path := "/api/v1/chatkit/sessions/" + id + "/threads/" + id + "/runs"
	const body = `{"message":{"role":"user","content":[{"type":"input_text","text":"What is the capital of France?"}]}}`
	b.ReportAllocs()
	for b.Loop() {
		request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		recorder := httptest.NewRecorder()
		engine.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusOK {
			b.Fatal(recorder.Code, recorder.Body)
		}
	}
}
