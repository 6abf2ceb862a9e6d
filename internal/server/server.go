// Package server is the HTTP edge: the order of the middleware, the routes,
// the checks of a request against openapi.yaml and the served document.
package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/problem"
	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
	"github.com/chatkit-rest/chatkit-rest/internal/web"
)

// Time-outs of the HTTP server. A stream and a file are bounded by the progress
// of their writes alone.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	// writeTimeout is for an answer that is no stream and no file, from the
	// request on; those set their own.
	writeTimeout   = 2 * time.Minute
	maxHeaderBytes = 32 << 10
)

// Options are what a server is made of.
type Options struct {
	// API has the operations of the document.
	API api.StrictServerInterface
	// Document is what is served as /openapi.yaml and checked against.
	Document *Document
	// Pages are the web pages, at exact paths.
	Pages []web.Route
	// Limiter bounds the requests of an address; nil is no limit.
	Limiter ratelimit.Limiter
	// TrustedProxies may give the client's address in X-Forwarded-For.
	TrustedProxies []netip.Prefix
	// Auth finds the principal of a request and knows the allowed origins.
	Auth *auth.Authenticator
	// MaxBody is the most bytes of a request's body.
	MaxBody int64
	// Locale reads the caller's locale from Accept-Language.
	Locale bool
	Logger *slog.Logger
	// Metrics count the requests and Tracing makes their spans; nil does not.
	Metrics *telemetry.Metrics
	Tracing *telemetry.Tracing
}

// The paths that monitors ask every few seconds.
const (
	healthPath    = "/health"
	readinessPath = "/readyz"
)

// apiPrefix is the prefix of the paths that are rate limited and need a principal.
const apiPrefix = "/api/v1/"

// New returns an HTTP server that is ready to serve. The caller listens.
func New(o Options) (*http.Server, error) {
	handler, err := NewHandler(o)
	if err != nil {
		return nil, err
	}
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		WriteTimeout:      writeTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// OPTIONS * gets the envelope too.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
	}, nil
}

// NewHandler returns the whole server as a handler.
func NewHandler(o Options) (http.Handler, error) {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.ContextWithFallback = true // A handler's context is its request's.
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false
	engine.ForwardedByClientIP = false // Package ratelimit finds the client's address.

	check, err := newChecker(o)
	if err != nil {
		return nil, fmt.Errorf("prepare the request check: %w", err)
	}
	// Middleware that does not look at the answer does not call Next: the engine
	// calls the next handler itself, and a live stream holds fewer stack frames.
	engine.Use(requestID, watch(&o, newOperations(check)), securityHeaders, crossOrigin(o.Auth))
	if o.Limiter != nil {
		engine.Use(limitRate(o))
	}
	if o.Locale {
		engine.Use(readLocale)
	}
	engine.Use(refuseEncodedSlash, refuseForeign(o.Auth), authenticate(o.Auth, check, o.Logger), check.middleware)

	strict := api.NewStrictHandlerWithOptions(o.API, []api.StrictMiddlewareFunc{detachContext}, api.StrictGinServerOptions{
		RequestErrorHandlerFunc:  badRequest,
		HandlerErrorFunc:         handlerFailed(&o),
		ResponseErrorHandlerFunc: handlerFailed(&o),
	})
	api.RegisterHandlersWithOptions(engine, strict, api.GinServerOptions{
		ErrorHandler: func(c *gin.Context, err error, _ int) { badRequest(c, err) },
	})
	// Monitors often send HEAD, which is GET without the body (RFC 9110, section
	// 9.3.2); the document need not list it.
	probes := api.ServerInterfaceWrapper{Handler: strict}
	engine.HEAD(healthPath, probes.GetHealth)
	engine.HEAD(readinessPath, probes.GetReadiness)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		engine.Handle(method, "/openapi.yaml", o.Document.serveYAML)
		engine.Handle(method, "/openapi.json", o.Document.serveJSON)
		for _, page := range o.Pages {
			engine.Handle(method, page.Path, gin.WrapH(page.Handler))
		}
	}
	engine.NoRoute(failNotFound)
	engine.NoMethod(func(c *gin.Context) {
		fail(c, http.StatusMethodNotAllowed, api.ErrorCodeMethodNotAllowed,
			"This path does not have the method "+printable(c.Request.Method)+"; see the Allow header.")
	})
	return engine, nil
}

func isAPI(c *gin.Context) bool { return strings.HasPrefix(c.Request.URL.Path, apiPrefix) }

// refuseEncodedSlash answers 404 to a path with an encoded slash, which is not a
// separator (RFC 3986, section 2.2). The router works on the decoded path, where
// the two look the same, and no path of this server has a slash in a segment.
func refuseEncodedSlash(c *gin.Context) {
	if strings.Contains(strings.ToUpper(c.Request.URL.RawPath), "%2F") {
		failNotFound(c)
	}
}

func failNotFound(c *gin.Context) {
	fail(c, http.StatusNotFound, api.ErrorCodeNotFound, "There is no such path; /openapi.yaml lists the paths.")
}

// fail ends the request with a failure in the documented envelope.
func fail(c *gin.Context, status int, code api.ErrorCode, message string) {
	failWith(c, problem.Problem{Status: status, Code: code, Message: message})
}

func failWith(c *gin.Context, p problem.Problem) {
	c.Abort()
	p.Write(c.Writer)
}

// badRequest answers a request that passed the check but could not be bound. The
// error is not shown, since it may quote the request.
func badRequest(c *gin.Context, _ error) {
	fail(c, http.StatusBadRequest, api.ErrorCodeInvalidRequest, "The request does not match its description in /openapi.yaml.")
}

// handlerFailed answers an error of the core and logs it where it is internal.
func handlerFailed(o *Options) func(*gin.Context, error) {
	return func(c *gin.Context, err error) {
		answer := problem.FromError(err)
		if answer.Code == api.ErrorCodeSessionLimit {
			o.Metrics.Refused(telemetry.SessionLimit)
		}
		if answer.Status >= http.StatusInternalServerError {
			o.Logger.ErrorContext(c.Request.Context(), "request failed", "code", answer.Code, "error", err)
		}
		if !c.Writer.Written() {
			failWith(c, answer)
		}
	}
}

// printable makes a caller's word safe for a log line and an answer.
func printable(word string) string {
	const most = 36 // the length of a UUID
	word = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, word)
	if len(word) > most {
		return word[:most] + "…"
	}
	return word
}

// detachContext gives an operation a copy of gin's context, since gin reuses its
// contexts and a database driver may hold this one beyond the operation's end.
func detachContext(next api.StrictHandlerFunc, _ string) api.StrictHandlerFunc {
	return func(c *gin.Context, request any) (any, error) {
		// The body is bound by now; a stream of minutes need not hold it.
		c.Request.Body, c.Request.GetBody = http.NoBody, nil
		return next(c.Copy(), request)
	}
}
