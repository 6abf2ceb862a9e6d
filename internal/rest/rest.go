// Package rest is the adapter of the REST API: it implements the server interface
// generated from openapi.yaml by calls of the core, and converts the results into
// the documented answers, events and errors.
package rest

import (
	"context"
	"time"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/attachments"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
	"github.com/chatkit-rest/chatkit-rest/internal/stream"
)

// Readiness is the result of the readiness checks. A nil error is a passed check.
type Readiness struct {
	Database   error
	Migrations error
	// RateLimit is empty where the replicas share no rate limit.
	RateLimit api.RateLimitCheck
}

// Options configure a Handler. All are required.
type Options struct {
	Service     *runs.Service
	Attachments *attachments.Service
	// Ready runs the readiness checks.
	Ready func(ctx context.Context) Readiness
	// WriteTimeout is how long a client may read nothing of its stream or its
	// file before it counts as disconnected.
	WriteTimeout time.Duration
	// KeepAlive is how long a stream may be quiet before a comment is sent.
	KeepAlive time.Duration
	// AttachmentURLs makes the signed URLs of attachments.
	AttachmentURLs stream.AttachmentURLs
}

// Handler serves the operations of openapi.yaml except the ChatKit protocol.
type Handler struct{ Options }

// New returns a handler.
func New(o Options) *Handler { return &Handler{o} }
