package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
)

// watch writes a line for each request when it ends, and makes a panic a
// failure of its request alone. It is one function because a live stream keeps
// each frame below it.
func watch(o *Options) gin.HandlerFunc {
	return func(c *gin.Context) {
		begin := time.Now()
		// A panic that cuts an answer goes on through here.
		defer func() { logAccess(c, o, time.Since(begin)) }()
		defer recoverPanic(c, o.Logger)
		c.Next()
	}
}

// logAccess tells the path as the route's pattern with its ids; the query and
// the headers may hold a token.
func logAccess(c *gin.Context, o *Options, took time.Duration) {
	level := slog.LevelInfo
	if route := c.FullPath(); route == "/health" || route == "/readyz" {
		level = slog.LevelDebug // A probe every few seconds would hide the rest.
	}
	ctx := c.Request.Context()
	if !o.Logger.Enabled(ctx, level) {
		return
	}
	fields := []slog.Attr{
		slog.String("method", printable(c.Request.Method)),
		slog.String("route", c.FullPath()),
		slog.Int("status", c.Writer.Status()),
		slog.Duration("duration", took),
		slog.Int("bytes", max(c.Writer.Size(), 0)),
		slog.String("client", ratelimit.ClientAddr(c.Request, o.TrustedProxies).String()),
	}
	if principal, ok := auth.PrincipalFrom(ctx); ok {
		fields = append(fields, slog.String("user", principal.UserID))
	}
	if session := c.Param("session_id"); session != "" {
		fields = append(fields, slog.String("session", printable(session)))
	}
	if run := c.Writer.Header().Get("X-Run-Id"); run != "" {
		fields = append(fields, slog.String("run", run))
	}
	o.Logger.LogAttrs(ctx, level, "request", fields...)
}

// recoverPanic is deferred.
func recoverPanic(c *gin.Context, logger *slog.Logger) {
	p := recover()
	if p == nil {
		return
	}
	logger.ErrorContext(c.Request.Context(), "a request panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	c.Abort()
	if c.Writer.Written() {
		panic(http.ErrAbortHandler) // The answer has begun: a cut says that it is not whole.
	}
	fail(c, http.StatusInternalServerError, api.ErrorCodeInternalError,
		"The server met an unexpected fault; it is in its log.")
}
