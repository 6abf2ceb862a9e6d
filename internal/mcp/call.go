package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// UserIDKey is the key in a call's _meta under which a tool finds the user's
// id, if the operator lets its server see it.
const UserIDKey = "chatkit-rest/user_id"

// failed returns the result of a call that the tool gave no result to.
func failed(text string) chat.ToolResult {
	return chat.ToolResult{Text: text, Failed: true, CallFailed: true}
}

func noSuchTool() chat.ToolResult { return failed("There is no tool of that name.") }

func (s *server) unreachable() chat.ToolResult {
	return failed("The server of " + s.Name + " cannot be reached at the moment, so the tool was not called. Try it again later.")
}

// call calls one of the server's tools. While the server is being reconnected,
// the call waits for the connection. The tool's time-out bounds the wait and
// the call together.
func (s *server) call(ctx context.Context, use chat.ToolUse) chat.ToolResult {
	params := &sdk.CallToolParams{Arguments: json.RawMessage(use.Arguments)}
	if s.SendUserID {
		params.Meta = sdk.Meta{UserIDKey: use.UserID}
	}
	s.calls.Add(1)
	defer s.calls.Add(-1)
	limited, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	for {
		known := s.listing.Load()
		if known == nil {
			return s.unreachable()
		}
		var ok bool
		if params.Name, ok = known.names[use.Name]; !ok {
			return noSuchTool()
		}
		c, err := s.slot.wait(limited)
		if err != nil {
			if ctx.Err() != nil {
				return failed("The call was stopped before the tool was called.")
			}
			return s.unreachable()
		}
		sent := new(attempt)
		result, err := within(context.WithValue(limited, attemptKey{}, sent), c, func(ctx context.Context) (*sdk.CallToolResult, error) {
			return c.session.CallTool(ctx, params)
		})
		if err == nil {
			s.completed.Store(true)
			return s.resultOf(result)
		}
		if limited.Err() != nil || !sent.unknownSession.Load() && !notSent(err) {
			return s.failure(ctx, limited, c, use.Name, err)
		}
		s.slot.suspend(c)
	}
}

// failure returns what the model reads about a call that the server did not
// complete, and asks for a check of a connection that may be broken.
func (s *server) failure(ctx, limited context.Context, c *connection, tool string, err error) chat.ToolResult {
	switch {
	case ctx.Err() != nil:
		return failed("The call was stopped before the tool had answered.")
	case limited.Err() != nil:
		ask(c.doubted)
		return failed(fmt.Sprintf("The tool did not answer within %s. It is not known whether it did its work.", s.Timeout))
	}
	if answer := answerOf(err); answer != nil {
		s.completed.Store(true)
		return failed(bounded("The tool's server refused the call: " + s.redact.forModel(answer.Message)))
	}
	if answer, ok := errors.AsType[*answerError](err); ok {
		s.logger.WarnContext(ctx, "a tool call got no result", "tool", tool, "error", s.redact.forLog(answer.problem))
		problem := s.redact.forModel(answer.problem)
		if answer.refused {
			return failed(bounded("The tool's server refused the call: " + problem))
		}
		ask(c.doubted)
		return failed(bounded("The tool's server gave no usable answer (" + problem + "). It is not known whether the tool did its work."))
	}
	s.slot.suspend(c)
	s.logger.WarnContext(ctx, "a tool call failed", "tool", tool, "error", s.redact.forLog(err.Error()))
	return failed("The connection to the tool's server broke during the call. It is not known whether the tool did its work.")
}

// attempt records what the HTTP transport learns about one call. The library's
// error does not say it: all calls of a connection get the same error when the
// session of one of them is unknown, also those that the server has taken.
type attempt struct{ unknownSession atomic.Bool }

// attemptKey is the key of a call's attempt in its context.
type attemptKey struct{}

// notSent reports whether an error means that the server has not taken the
// call, so that it can be made on another connection without being made twice:
// the connection was closed before, or nothing accepted a new TCP connection. A broken pipe counts because the end
// of the line was not delivered, and a command acts on complete lines alone.
func notSent(err error) bool {
	if errors.Is(err, sdk.ErrConnectionClosed) || errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) {
		return true
	}
	operation, ok := errors.AsType[*net.OpError](err)
	return ok && operation.Op == "dial"
}

func (s *server) resultOf(result *sdk.CallToolResult) chat.ToolResult {
	if result.NeedsInput() {
		return chat.ToolResult{Text: "The tool asked for more input, which it cannot be given here.", Failed: true}
	}
	return chat.ToolResult{Text: bounded(s.redact.forModel(textOf(result))), Failed: result.IsError}
}
