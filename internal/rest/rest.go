// Package rest is the REST door: it implements the server interface that is
// generated from openapi.yaml, by calls of the core, and turns what the core
// says into the documented answers, events and errors.
package rest

import (
	"context"
	"time"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/stream"
)

// Readiness is what the server finds out about itself when asked whether it
// can do its work. Nil errors are good.
type Readiness struct {
	Database   error
	Migrations error
	// RateLimit is empty when no replica shares its rate limit.
	RateLimit api.RateLimitCheck
}

// Options are what a Handler is made of. All are required.
type Options struct {
	Service *chat.Service
	// Ready looks whether the server can do its work.
	Ready func(ctx context.Context) Readiness
	// WriteTimeout is how long a client may take nothing of its stream or its
	// file before it is taken for gone.
	WriteTimeout time.Duration
	// KeepAlive is how long a stream may be quiet before a comment is sent.
	KeepAlive time.Duration
	// Links are the links to attachments.
	Links stream.Links
}

// Handler answers the operations of openapi.yaml, but for the ChatKit
// protocol.
type Handler struct{ Options }

// New returns the door.
func New(o Options) *Handler { return &Handler{o} }

// userID is the caller's. The server lets no request without a principal
// through to an operation that needs one.
func userID(ctx context.Context) string {
	principal, _ := auth.PrincipalFrom(ctx)
	return principal.UserID
}
