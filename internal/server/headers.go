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

// crossOrigin lets pages of the allowed origins call, and no others: a request
// of theirs to the API is refused before it can do anything. It stands before
// the rate limit, so that a preflight costs none.
func crossOrigin(gate *auth.Gate) gin.HandlerFunc {
	allow := cors.New(cors.Config{
		AllowOriginWithContextFunc: func(c *gin.Context, _ string) bool { return gate.AllowsOrigin(c.Request) },
		AllowMethods: []string{
			http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions,
		},
		AllowHeaders:     []string{"Content-Type", "Authorization", "Accept", "Origin"},
		ExposeHeaders:    []string{runIDHeader, "Retry-After", limitHeader, remainingHeader, resetHeader},
		AllowCredentials: true,
		MaxAge:           preflightAge,
	})
	return func(c *gin.Context) {
		c.Writer.Header().Add("Vary", "Origin")
		if c.Request.Header.Get("Origin") == "" || gate.AllowsOrigin(c.Request) {
			allow(c)
			return
		}
		if !isAPI(c) {
			return // The browser keeps the answer from a page that may not read it.
		}
		// The library would answer without a body.
		fail(c, http.StatusForbidden, api.ErrorCodeForbidden,
			"This origin is not allowed; its operator can add it to CORS_ORIGINS.")
	}
}
