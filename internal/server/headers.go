package server

import (
	"net/http"
	"time"

	"github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
)

// securityHeaders are for answers that no browser should show as a page; the
// pages set their own.
func securityHeaders(c *gin.Context) {
	header := c.Writer.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if isAPI(c) {
		header.Set("Cache-Control", "no-store")
	}
}

// preflightAge is how long a browser may remember what a preflight said.
const preflightAge = time.Hour

// allowedHeaders are the request headers that a page of an allowed origin may
// send. A preflight that names any other fails in the browser.
func allowedHeaders() []string {
	return []string{
		"Content-Type", "Authorization", "Accept", "Origin",
		// The ChatKit component sends these by itself.
		"Accept-Language", "ChatKit-Device-Id", "ChatKit-Frame-Instance-Id", "OpenAI-Sentinel-Token",
		// W3C Trace Context and Baggage, from pages that are traced.
		"Traceparent", "Tracestate", "Baggage",
	}
}

// crossOrigin lets pages of the allowed origins call, and no others. It stands
// before the rate limit: a preflight costs none, and a page may read that the
// limit refused it.
func crossOrigin(authenticator *auth.Authenticator) gin.HandlerFunc {
	allow := cors.New(cors.Config{
		AllowOriginWithContextFunc: func(c *gin.Context, _ string) bool { return authenticator.AllowsOrigin(c.Request) },
		AllowMethods: []string{
			http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions,
		},
		AllowHeaders:     allowedHeaders(),
		ExposeHeaders:    []string{requestIDHeader, runIDHeader, "Retry-After", limitHeader, remainingHeader, resetHeader},
		AllowCredentials: true,
		MaxAge:           preflightAge,
	})
	return func(c *gin.Context) {
		c.Writer.Header().Add("Vary", "Origin")
		switch {
		case !isForeign(c, authenticator):
			allow(c)
		case isAPI(c) && isPreflight(c):
			failForeign(c)
		}
	}
}

// refuseForeign refuses what a page of another origin asks of the API before it
// can do anything. It stands after the rate limit, which counts such a request
// as any other. Elsewhere the browser keeps the answer from the page.
func refuseForeign(authenticator *auth.Authenticator) gin.HandlerFunc {
	return func(c *gin.Context) {
		if isAPI(c) && isForeign(c, authenticator) {
			failForeign(c)
		}
	}
}

// isForeign says that the request is of a page whose origin is not allowed.
func isForeign(c *gin.Context, authenticator *auth.Authenticator) bool {
	return c.Request.Header.Get("Origin") != "" && !authenticator.AllowsOrigin(c.Request)
}

// isPreflight says that the browser asks by itself whether a page may call.
func isPreflight(c *gin.Context) bool {
	return c.Request.Method == http.MethodOptions && c.Request.Header.Get("Access-Control-Request-Method") != ""
}

// failForeign answers in the envelope; the library would without a body.
func failForeign(c *gin.Context) {
	fail(c, http.StatusForbidden, api.ErrorCodeForbidden,
		"This origin is not allowed; its operator can add it to CORS_ORIGINS.")
}
