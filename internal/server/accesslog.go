package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/header"
	"github.com/chatkit-rest/chatkit-rest/internal/problem"
	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// watch traces, counts and logs a request, and keeps a panic from ending the
// process. It is one small function because a live stream holds its stack frame.
func watch(o *Options, operations operations) gin.HandlerFunc {
	return func(c *gin.Context) {
		// A panic that cuts an answer passes through here.
		defer watchRequest(c, o, operations).end()
		defer recoverPanic(c, o.Logger)
		c.Next()
	}
}

// watched is a request that is under way.
type watched struct {
	c     *gin.Context
	o     *Options
	op    operation
	span  telemetry.Span
	begin time.Time
}

func watchRequest(c *gin.Context, o *Options, operations operations) *watched {
	w := &watched{c: c, o: o, op: operations.of(c), begin: time.Now()}
	if w.op.streams {
		o.Metrics.LiveStreams(1)
	}
	w.span = startSpan(c, o)
	return w
}

func (w *watched) end() {
	took := time.Since(w.begin)
	if w.op.streams {
		w.o.Metrics.LiveStreams(-1)
	}
	w.o.Metrics.Request(w.op.id, w.c.Writer.Status(), took)
	logAccess(w.c, w.o, took)
	w.span.EndRequest(w.c.Writer.Status())
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

// isProbe reports whether the request is a monitor's. There are so many that they
// would hide the others in the log.
func isProbe(c *gin.Context) bool { return c.FullPath() == healthPath || c.FullPath() == readinessPath }

// logAccess logs the route's pattern and its ids instead of the URL, since the
// query and the headers may hold a token.
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
		slog.String("client", ratelimit.ClientAddress(c.Request, o.TrustedProxies).String()),
	}
	if principal, ok := auth.PrincipalFrom(ctx); ok {
		fields = append(fields, slog.String("user", principal.UserID))
	}
	if session := c.Param("session_id"); session != "" {
		fields = append(fields, slog.String("session", printable(session)))
	}
	if run := c.Writer.Header().Get(header.RunID); run != "" {
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
		panic(http.ErrAbortHandler) // The answer has begun; cutting it shows that it is incomplete.
	}
	failWith(c, problem.Internal())
}
