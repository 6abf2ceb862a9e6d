package chat

import (
	"context"
	"encoding/json"
)

// Tool is a function that the model may call.
type Tool struct {
	Name        string
	Description string
	// Parameters is the JSON Schema of the arguments, an object.
	Parameters json.RawMessage
}

// Toolbox holds the tools that this server offers the model. It is used
// concurrently.
type Toolbox interface {
	// Tools returns the tools that may be called now. Their order changes only
	// with the tools, since upstream caches the beginning of a request. It does
	// not wait for a tool server that is slow or unreachable.
	Tools(ctx context.Context) []Tool

	// Call calls a tool. A failure of any kind is a result too, with a text for
	// the model that holds nothing secret. Call returns soon after ctx ends.
	Call(ctx context.Context, use ToolUse) ToolResult
}

// ToolUse is a call of one of a toolbox's tools.
type ToolUse struct {
	Name string
	// Arguments is a JSON object.
	Arguments string
	// UserID is the user's whose run it is. A tool sees it only where the
	// operator has said so.
	UserID string
}

// ToolResult is the result of a call, as the model is told it.
type ToolResult struct {
	Text string
	// Failed says that the call did not do what it should; Text says why.
	Failed bool
	// CallFailed says that the tool gave no result: it is unknown, or the call
	// was refused, could not be made or got no answer. Failed is then set too.
	// A tool that reports an error of its own has given a result.
	CallFailed bool
}
