package mcp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	// maxTools of a server are offered; more than a model can choose from.
	maxTools = 256
	// maxListed and maxPages bound what is read of a server's list.
	maxListed = 4096
	maxPages  = 256
	// maxDescription is in characters.
	maxDescription = 8_000
)

// listing is what a server offers.
type listing struct {
	at    time.Time
	tools []chat.Tool       // by name
	names map[string]string // the server's own names, by the offered ones
	// missing are tools that are allowed, and that the server does not have.
	missing []string
}

var errNoTools = errors.New("the server has no tools to offer")

// list reads the server's tools as they are now.
func (s *server) list(ctx context.Context, c *connection, timeout time.Duration) error {
	if answer := c.session.InitializeResult(); answer == nil || answer.Capabilities == nil || answer.Capabilities.Tools == nil {
		return errNoTools
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tools, err := within(ctx, c, func(ctx context.Context) ([]*sdk.Tool, error) { return s.readPages(ctx, c) })
	if err != nil {
		return err
	}
	found := s.offered(ctx, tools)
	before := s.listing.Swap(found)
	if len(found.missing) > 0 && (before == nil || !slices.Equal(before.missing, found.missing)) {
		s.logger.WarnContext(ctx, "allowedTools has tools that the server does not have", "missing", found.missing)
	}
	return nil
}

// readPages asks the server for its tools, page by page. It stops at a cursor
// that does not change, and at the bounds.
func (s *server) readPages(ctx context.Context, c *connection) ([]*sdk.Tool, error) {
	var tools []*sdk.Tool
	params := &sdk.ListToolsParams{}
	for page := 1; ; page++ {
		result, err := c.session.ListTools(ctx, params)
		if err != nil {
			return nil, err
		}
		tools = append(tools, result.Tools...)
		switch {
		case result.NextCursor == "":
			return tools, nil
		case result.NextCursor == params.Cursor || page == maxPages || len(tools) >= maxListed:
			s.warnings.warn(ctx, "the list of tools does not end; the rest is not read", "",
				"pages", page, "tools", len(tools), "same_cursor", result.NextCursor == params.Cursor)
			return tools, nil
		}
		params = &sdk.ListToolsParams{Cursor: result.NextCursor}
	}
}

// offered returns the tools that are allowed and that a model can be offered.
func (s *server) offered(ctx context.Context, tools []*sdk.Tool) *listing {
	found := &listing{names: make(map[string]string)}
	missing := make(map[string]bool)
	for _, name := range s.Tools {
		missing[name] = true
	}
	s.schemas.begin()
	for _, tool := range tools {
		if tool == nil {
			tool = &sdk.Tool{}
		}
		delete(missing, tool.Name)
		if s.Tools != nil && !slices.Contains(s.Tools, tool.Name) {
			continue
		}
		if err := s.offer(found, tool); err != nil {
			name := s.redact.forLog(tool.Name)
			s.warnings.warn(ctx, "a tool is left out", name, "tool", name, "reason", s.redact.forLog(err.Error()))
		}
	}
	slices.SortFunc(found.tools, func(a, b chat.Tool) int { return strings.Compare(a.Name, b.Name) })
	found.missing = slices.Sorted(maps.Keys(missing))
	found.at = time.Now()
	return found
}

var (
	errNoName    = errors.New("it has no name")
	errDuplicate = errors.New("another tool has the same name")
	errTooMany   = fmt.Errorf("the server has more than %d tools; name the needed ones in allowedTools", maxTools)
)

// offer adds a tool, or returns the reason why it cannot be offered.
func (s *server) offer(found *listing, tool *sdk.Tool) error {
	if strings.TrimSpace(tool.Name) == "" {
		return errNoName
	}
	name := offeredName(s.Name, tool.Name)
	if _, ok := found.names[name]; ok {
		return errDuplicate
	}
	parameters, err := s.schemas.parameters(tool.InputSchema)
	if err != nil {
		return err
	}
	if len(found.tools) == maxTools {
		return errTooMany
	}
	description, _ := cut(clean(tool.Description), maxDescription)
	found.names[name] = tool.Name
	found.tools = append(found.tools, chat.Tool{Name: name, Description: description, Parameters: parameters})
	return nil
}

// sameAs reports whether a model would be offered the same.
func (l *listing) sameAs(other *listing) bool {
	return slices.EqualFunc(l.tools, other.tools, func(a, b chat.Tool) bool {
		return a.Name == b.Name && a.Description == b.Description && string(a.Parameters) == string(b.Parameters)
	})
}
