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
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// accessLog writes a line for each request when it ends, and counts and
// traces it: one place, so that a live stream keeps one frame for all three.
// The path is the route's pattern with its ids; the query and the headers may
// hold a token.
func accessLog(o *Options, operations operations) gin.HandlerFunc {
	return func(c *gin.Context) {
		begin := time.Now()
		op := operations.of(c)
		if op.streams {
			o.Metrics.LiveStreams(1)
		}
		span := startSpan(c, o)
		// A panic that cuts an answer goes on through here.
		defer func() {
			took := time.Since(begin)
			if op.streams {
				o.Metrics.LiveStreams(-1)
			}
			o.Metrics.Request(op.id, c.Writer.Status(), took)
			logAccess(c, o, took)
			span.EndRequest(c.Writer.Status())
		}()
		c.Next()
	}
}

// startSpan begins the request's span and puts it into its context.
func startSpan(c *gin.Context, o *Options) telemetry.Span {
	if o.Tracing == nil || isProbe(c) {
		return telemetry.Span{}
	}
	ctx, span := o.Tracing.StartRequest(c.Request, c.FullPath(), ratelimit.FromTrusted(c.Request, o.TrustedProxies))
	c.Request = c.Request.WithContext(ctx)
	return span
}

// isProbe is true of what is asked every few seconds and would hide the rest.
func isProbe(c *gin.Context) bool { return c.FullPath() == "/health" || c.FullPath() == "/readyz" }

func logAccess(c *gin.Context, o *Options, took time.Duration) {
	level := slog.LevelInfo
	if isProbe(c) {
		level = slog.LevelDebug
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

// recoverPanics makes a panic a failure of its request alone.
func recoverPanics(logger *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			logger.ErrorContext(c.Request.Context(), "a request panicked",
				"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			c.Abort()
			if c.Writer.Written() {
				panic(http.ErrAbortHandler) // The answer has begun: a cut says that it is not whole.
			}
			fail(c, http.StatusInternalServerError, api.ErrorCodeInternalError,
				"The server met an unexpected fault; it is in its log.")
		}()
		c.Next()
	}
}
