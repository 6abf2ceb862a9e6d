package mcp

import (
	"context"
	"errors"
	"log/slog"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// ProbeResult is what one connection to a server found.
type ProbeResult struct {
	Tools []chat.Tool
	// Missing are tools that are allowed, and that the server does not have.
	Missing []string
}

// Probe connects to a server once, lists its tools and disconnects.
func Probe(ctx context.Context, of Server, version string) (ProbeResult, error) {
	s := newServer(of, Options{Version: version, Logger: slog.New(slog.DiscardHandler)})
	c, err := s.connect(ctx)
	if err == nil {
		defer c.close()
		if err = s.list(ctx, c, s.StartTimeout); err != nil {
			err = c.explain(err)
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			return ProbeResult{}, errors.New("it did not answer in time")
		}
		return ProbeResult{}, errors.New(s.redact.forLog(err.Error()))
	}
	found := s.listing.Load()
	return ProbeResult{Tools: found.tools, Missing: found.missing}, nil
}
