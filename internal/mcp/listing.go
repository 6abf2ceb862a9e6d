package mcp

import (
	"context"
	"encoding/json"
	"errors"
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
	// maxDescription is in characters.
	maxDescription = 8_000
	// maxParameters is in bytes of JSON.
	maxParameters = 64 << 10
)

// listing is what a server offers.
type listing struct {
	at    time.Time
	tools []chat.Tool       // by name
	names map[string]string // the server's own, by the offered one
	// missing are tools that are allowed, and that the server does not have.
	missing []string
}

var errNoTools = errors.New("the server has no tools to offer")

// list takes the server's tools as they are now.
func (s *server) list(ctx context.Context, l *connection, timeout time.Duration) error {
	if told := l.session.InitializeResult(); told == nil || told.Capabilities == nil || told.Capabilities.Tools == nil {
		return errNoTools
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := within(ctx, l, func(ctx context.Context) (*listing, error) { return s.read(ctx, l) })
	if err != nil {
		return err
	}
	before := s.listing.Swap(found)
	if len(found.missing) > 0 && (before == nil || !slices.Equal(before.missing, found.missing)) {
		s.logger.WarnContext(ctx, "allowedTools has tools that the server does not have", "missing", found.missing)
	}
	return nil
}

// read asks the server for its tools, all pages of them.
func (s *server) read(ctx context.Context, l *connection) (*listing, error) {
	found := &listing{names: make(map[string]string)}
	missing := make(map[string]bool)
	for _, name := range s.Tools {
		missing[name] = true
	}
	for tool, err := range l.session.Tools(ctx, nil) {
		if err != nil {
			return nil, err
		}
		delete(missing, tool.Name)
		s.offer(ctx, found, tool)
	}
	slices.SortFunc(found.tools, func(a, b chat.Tool) int { return strings.Compare(a.Name, b.Name) })
	found.missing = slices.Sorted(maps.Keys(missing))
	found.at = time.Now()
	return found, nil
}

// offer adds a tool, if it is allowed and can be told to a model.
func (s *server) offer(ctx context.Context, found *listing, tool *sdk.Tool) {
	if s.Tools != nil && !slices.Contains(s.Tools, tool.Name) {
		return
	}
	name := offeredName(s.Name, tool.Name)
	parameters, err := parametersOf(tool)
	_, taken := found.names[name]
	if err != nil || taken || len(found.tools) == maxTools {
		s.logger.WarnContext(ctx, "a tool is not offered: it comes twice, its schema is no object or too large, or there are too many",
			"tool", s.redact.forLog(tool.Name), "most_tools", maxTools, "most_schema_bytes", maxParameters)
		return
	}
	description, _ := cut(clean(tool.Description), maxDescription)
	found.names[name] = tool.Name
	found.tools = append(found.tools, chat.Tool{Name: name, Description: description, Parameters: parameters})
}

var errSchema = errors.New("the schema is no object, or too large")

// parametersOf is the tool's schema as model services take it: an object with
// properties, though there be none.
func parametersOf(tool *sdk.Tool) (json.RawMessage, error) {
	schema, ok := tool.InputSchema.(map[string]any)
	if !ok {
		return nil, errSchema
	}
	schema = maps.Clone(schema) // the session keeps its own
	delete(schema, "$schema")   // some services refuse what names a draft
	schema["type"] = "object"
	if _, ok := schema["properties"].(map[string]any); !ok {
		schema["properties"] = map[string]any{}
	}
	encoded, err := json.Marshal(schema) // its keys are sorted
	if err != nil {
		return nil, err
	}
	if len(encoded) > maxParameters {
		return nil, errSchema
	}
	return encoded, nil
}

// sameAs compares what the model would be told.
func (l *listing) sameAs(other *listing) bool {
	return slices.EqualFunc(l.tools, other.tools, func(a, b chat.Tool) bool {
		return a.Name == b.Name && a.Description == b.Description && string(a.Parameters) == string(b.Parameters)
	})
}
