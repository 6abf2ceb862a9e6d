package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// UserIDKey is the key in a call's _meta under which a tool finds the user's
// id, where its server may see it.
const UserIDKey = "chatkit-rest/user_id"

func failed(text string) chat.ToolResult { return chat.ToolResult{Text: text, Failed: true} }

func noSuchTool() chat.ToolResult { return failed("There is no tool of that name.") }

// call calls one of the server's tools, within its time-out.
func (s *server) call(ctx context.Context, use chat.ToolUse) chat.ToolResult {
	now := s.listing.Load()
	if now == nil {
		return failed("The tools of " + s.Name + " are out of reach at the moment. They may be back later.")
	}
	name, ok := now.names[use.Name]
	if !ok {
		return noSuchTool()
	}
	arguments, err := argumentsOf(use.Arguments)
	if err != nil {
		return failed(err.Error())
	}
	params := &sdk.CallToolParams{Name: name, Arguments: arguments}
	if s.SendUserID {
		params.Meta = sdk.Meta{UserIDKey: use.UserID}
	}
	s.calls.Add(1)
	defer s.calls.Add(-1)
	limited, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	result, err := within(limited, now.link, func(ctx context.Context) (*sdk.CallToolResult, error) {
		return now.link.session.CallTool(ctx, params)
	})
	switch {
	case err == nil:
		return s.resultOf(result)
	case ctx.Err() != nil:
		return failed("The call was stopped before the tool had answered.")
	case limited.Err() != nil:
		ask(now.link.doubted)
		return failed(fmt.Sprintf("The tool did not answer within %s. Whether it did its work is not known.", s.Timeout))
	}
	if answer := answerOf(err); answer != nil {
		return failed(bounded("The tool's server refused the call: " + s.redact.forModel(answer.Message)))
	}
	ask(now.link.doubted)
	s.logger.WarnContext(ctx, "a call of a tool failed", "tool", use.Name, "error", s.redact.forLog(err.Error()))
	return failed("The connection to the tool's server broke during the call. Whether the tool did its work is not known.")
}

func (s *server) resultOf(result *sdk.CallToolResult) chat.ToolResult {
	if result.NeedsInput() {
		return failed("The tool asked for more input, which it cannot be given here.")
	}
	return chat.ToolResult{Text: bounded(s.redact.forModel(textOf(result))), Failed: result.IsError}
}

// argumentsOf is the object that the model wrote; it may leave out an empty
// one.
func argumentsOf(written string) (json.RawMessage, error) {
	written = strings.TrimSpace(written)
	if written == "" || written == "null" {
		return json.RawMessage("{}"), nil
	}
	if !json.Valid([]byte(written)) {
		var discard any
		err := json.Unmarshal([]byte(written), &discard)
		return nil, fmt.Errorf("The arguments are no valid JSON (%w). Write one JSON object.", err) //nolint:staticcheck // the model reads it
	}
	if !strings.HasPrefix(written, "{") {
		return nil, errors.New("The arguments are no JSON object. Write one, such as {}.") //nolint:staticcheck // the model reads it
	}
	return json.RawMessage(written), nil
}
