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
	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
	"github.com/chatkit-rest/chatkit-rest/internal/rest"
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
	// API is the REST door.
	API api.StrictServerInterface
	// Document is what is served as /openapi.yaml and checked against.
	Document *Document
	// Pages are for people, at exact paths.
	Pages []web.Route
	// Limiter bounds the requests of an address; nil is no limit.
	Limiter ratelimit.Limiter
	// TrustedProxies may say in X-Forwarded-For who the client is.
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

// What is asked every few seconds whether the server is well.
const (
	healthPath    = "/health"
	readinessPath = "/readyz"
)

// apiPrefix is the part of the server that is limited and needs a principal.
const apiPrefix = "/api/v1/"

// New returns an HTTP server that is ready to serve; its address is the
// caller's.
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
	engine.ForwardedByClientIP = false // Who the client is, ratelimit knows.

	check, err := newChecker(o)
	if err != nil {
		return nil, fmt.Errorf("prepare the request check: %w", err)
	}
	// What need not look at the answer does not call Next: the engine goes on
	// by itself, and a live stream keeps every frame below it.
	engine.Use(requestID, watch(&o, newOperations(check)), securityHeaders, crossOrigin(o.Auth))
	if o.Limiter != nil {
		engine.Use(limitRate(o))
	}
	if o.Locale {
		engine.Use(readLocale)
	}
	engine.Use(refuseForeign(o.Auth), authenticate(o.Auth, check, o.Logger), check.middleware)

	strict := api.NewStrictHandlerWithOptions(o.API, []api.StrictMiddlewareFunc{outlive}, api.StrictGinServerOptions{
		RequestErrorHandlerFunc:  badRequest,
		HandlerErrorFunc:         handlerFailed(&o),
		ResponseErrorHandlerFunc: handlerFailed(&o),
	})
	api.RegisterHandlersWithOptions(engine, strict, api.GinServerOptions{
		ErrorHandler: func(c *gin.Context, err error, _ int) { badRequest(c, err) },
	})
	// Probes like to ask by HEAD, which is GET without the body (RFC 9110,
	// section 9.3.2); the document need not say so.
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
	engine.NoRoute(func(c *gin.Context) {
		fail(c, http.StatusNotFound, api.ErrorCodeNotFound, "There is no such path; /openapi.yaml tells which there are.")
	})
	engine.NoMethod(func(c *gin.Context) {
		fail(c, http.StatusMethodNotAllowed, api.ErrorCodeMethodNotAllowed,
			"This path does not have the method "+printable(c.Request.Method)+"; see the Allow header.")
	})
	return engine, nil
}

func isAPI(c *gin.Context) bool { return strings.HasPrefix(c.Request.URL.Path, apiPrefix) }

// fail ends the request with a failure in the documented envelope.
func fail(c *gin.Context, status int, code api.ErrorCode, message string) {
	c.Abort()
	rest.WriteFailure(c.Writer, rest.Failure{Status: status, Code: code, Message: message})
}

// badRequest answers for a request that got past the check and yet could not
// be bound; its error may quote the request, so it is not told.
func badRequest(c *gin.Context, _ error) {
	fail(c, http.StatusBadRequest, api.ErrorCodeInvalidRequest, "The request is not what /openapi.yaml says.")
}

// handlerFailed answers for an error of the core, and logs what is internal.
func handlerFailed(o *Options) func(*gin.Context, error) {
	return func(c *gin.Context, err error) {
		failure := rest.FailureOf(err)
		if failure.Code == api.ErrorCodeSessionLimit {
			o.Metrics.Refused(telemetry.SessionLimit)
		}
		if failure.Status >= http.StatusInternalServerError {
			o.Logger.ErrorContext(c.Request.Context(), "request failed", "code", failure.Code, "error", err)
		}
		if !c.Writer.Written() {
			c.Abort()
			rest.WriteFailure(c.Writer, failure)
		}
	}
}

// printable makes a caller's word safe to tell.
func printable(word string) string {
	const most = 36 // a UUID is told whole
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

// outlive gives an operation a context that stays its own after its end: gin
// uses its contexts again, while a database may still look at this one.
func outlive(next api.StrictHandlerFunc, _ string) api.StrictHandlerFunc {
	return func(c *gin.Context, request any) (any, error) {
		// The body is bound by now, and a stream may last for minutes.
		c.Request.Body, c.Request.GetBody = http.NoBody, nil
		return next(c.Copy(), request)
	}
}
