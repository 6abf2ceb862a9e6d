package server

import (
	"net/http"
	"time"

	"github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/header"
)

// securityHeaders keep browsers from showing an answer as a page. The pages
// replace them with their own.
func securityHeaders(c *gin.Context) {
	headers := c.Writer.Header()
	headers.Set("X-Content-Type-Options", "nosniff")
	headers.Set("Referrer-Policy", "no-referrer")
	headers.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if isAPI(c) {
		headers.Set("Cache-Control", "no-store")
	}
}

// preflightAge is how long a browser may cache the answer to a preflight.
const preflightAge = time.Hour

// allowedHeaders are the request headers that a page of an allowed origin may
// send. A preflight that names any other fails in the browser.
func allowedHeaders() []string {
	return []string{
		"Content-Type", "Authorization", "Accept", "Origin",
		// An EventSource sends this when it reconnects.
		"Last-Event-ID",
		// The ChatKit component sends these by itself.
		"Accept-Language", "ChatKit-Device-Id", "ChatKit-Frame-Instance-Id", "OpenAI-Sentinel-Token",
		// W3C Trace Context and Baggage, from pages that are traced.
		"Traceparent", "Tracestate", "Baggage",
	}
}

// exposedHeaders are the response headers that such a page may read.
func exposedHeaders() []string {
	return []string{
		header.RequestID, header.RunID, "Retry-After",
		header.RateLimitLimit, header.RateLimitRemaining, header.RateLimitReset,
	}
}

// crossOrigin lets only pages of the allowed origins call. It comes before the
// rate limit, so that a preflight does not count and a page can read that the
// limit refused its request.
func crossOrigin(authenticator *auth.Authenticator) gin.HandlerFunc {
	allow := cors.New(cors.Config{
		AllowOriginWithContextFunc: func(c *gin.Context, _ string) bool { return authenticator.AllowsOrigin(c.Request) },
		AllowMethods: []string{
			http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions,
		},
		AllowHeaders:     allowedHeaders(),
		ExposeHeaders:    exposedHeaders(),
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

// refuseForeign refuses a request to the API from a page of an origin that is not
// allowed, before the request has any effect. It comes after the rate limit, so
// that such a request counts. On other paths the browser withholds the answer
// from the page.
func refuseForeign(authenticator *auth.Authenticator) gin.HandlerFunc {
	return func(c *gin.Context) {
		if isAPI(c) && isForeign(c, authenticator) {
			failForeign(c)
		}
	}
}

// isForeign reports whether the request is from a page of an origin that is not
// allowed.
func isForeign(c *gin.Context, authenticator *auth.Authenticator) bool {
	return c.Request.Header.Get("Origin") != "" && !authenticator.AllowsOrigin(c.Request)
}

// isPreflight reports whether the request is a CORS preflight.
func isPreflight(c *gin.Context) bool {
	return c.Request.Method == http.MethodOptions && c.Request.Header.Get("Access-Control-Request-Method") != ""
}

// failForeign answers in the envelope; the CORS library would send no body.
func failForeign(c *gin.Context) {
	fail(c, http.StatusForbidden, api.ErrorCodeForbidden,
		"This origin is not allowed; the server's operator can add it to CORS_ORIGINS.")
}
