package runs

import (
	"encoding/json"
	"slices"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/prompt"
)

// callTools calls the server's tools of a step, all at once, and adds their
// results to the history. It reports whether the run now waits for the page:
// then the call of the client tool is the thread's last item.
func (e *executor) callTools(calls []chat.ToolCall, details json.RawMessage) (waits bool, err error) {
	server, client := e.splitCalls(calls)
	sameStep := len(server) > 0 || e.messageOpen
	if len(server) > 0 {
		if err := e.callServerTools(server, details); err != nil {
			return false, err
		}
		details = nil // They are stored with the server's calls.
	}
	if client == nil {
		return false, nil
	}
	e.endMessage()
	e.leaveWorkflowOpen()
	item := e.newItem(chat.ItemClientToolCall)
	item.ClientCall = &chat.ClientToolCall{
		CallID: client.ID, Name: client.Name, Arguments: json.RawMessage(client.Arguments), Beside: sameStep,
	}
	item.ReasoningDetails = details
	e.addUnsaved(item)
	return true, nil
}

// splitCalls separates the server's calls from the page's. The protocol has the
// page answer one call at a time; any further call gets a result that says so.
func (e *executor) splitCalls(calls []chat.ToolCall) (server []chat.ToolCall, client *chat.ToolCall) {
	for _, call := range calls {
		switch {
		case !e.tools.client[call.Name] || call.Result != nil:
		case client == nil:
			client = &call
			continue
		default:
			busy := "Not called: the page takes one call at a time. Call it again."
			call.Result, call.CallFailed = &busy, true
		}
		server = append(server, call)
	}
	return server, client
}

// callServerTools stores the calls before they are made, since a call may
// change something outside, and their results after.
func (e *executor) callServerTools(calls []chat.ToolCall, details json.RawMessage) error {
	item := e.closeMessage()
	item.ToolCalls, item.ReasoningDetails = calls, details
	e.unsaved = append(e.unsaved, item)
	if err := e.saveItems(); err != nil {
		return err
	}
	if item.Type == chat.ItemAssistantMessage {
		e.log.Append(chat.PartDone{ItemID: item.ID, Text: item.Text()}, chat.ItemDone{Item: item})
	}
	item.ToolCalls = e.resultsOf(calls)
	if err := e.saveResults(item); err != nil {
		return err
	}
	history, size := e.history.Append(item)
	e.history = history
	e.size += size
	return e.ctx.Err()
}

// resultsOf makes the calls that have no result yet, all at once. The log has
// each call, and after it at once whether the call failed.
func (e *executor) resultsOf(calls []chat.ToolCall) []chat.ToolCall {
	results := slices.Clone(calls)
	running, ended := 0, make(chan chat.ToolCall, len(calls))
	for n := range results {
		call := &results[n]
		e.log.Append(chat.Progress{Text: "Using " + call.Name + " …"})
		if call.Result != nil {
			e.logCallFailed(*call)
			continue
		}
		running++
		go func() {
			result := e.callTool(*call)
			text := replaceNUL(result.Text)
			call.Result, call.CallFailed = &text, result.CallFailed
			ended <- *call
		}()
	}
	for range running {
		e.logCallFailed(<-ended)
	}
	prompt.TruncateResults(results, e.s.resultChars())
	return results
}

// logCallFailed tells the client of a call that failed.
func (e *executor) logCallFailed(call chat.ToolCall) {
	if call.CallFailed {
		e.log.Append(chat.Progress{Text: "Could not call " + call.Name})
	}
}

func (e *executor) callTool(call chat.ToolCall) (result chat.ToolResult) {
	defer func() {
		if p := recover(); p != nil {
			e.logPanic(p)
			result = chat.ToolResult{Text: "The tool failed.", Failed: true, CallFailed: true}
		}
	}()
	if e.s.Tools == nil || !e.tools.has(call.Name) {
		return chat.ToolResult{Text: "There is no tool of this name.", Failed: true, CallFailed: true}
	}
	result = e.s.Tools.Call(e.ctx, chat.ToolUse{Name: call.Name, Arguments: call.Arguments, UserID: e.userID})
	if result.Failed {
		e.s.Logger.WarnContext(e.ctx, "a tool call failed", "run", e.ID, "tool", call.Name)
	}
	return result
}

// resultChars bounds the tools' results in code points, of one step and of all
// that a request carries. The longest output of a client tool fits.
func (s *Service) resultChars() int { return max(s.Limits.HistoryChars, maxOutputBytes) }
