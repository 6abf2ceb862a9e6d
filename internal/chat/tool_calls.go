package chat

import (
	"encoding/json"
	"slices"
	"sync"
)

// callTools calls the server's tools of a step, all at once, and adds their
// results to the history. It reports whether the run now waits for the page:
// then the call of the client tool is the thread's last item.
func (e *executor) callTools(calls []ToolCall, details json.RawMessage) (waits bool, err error) {
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
	item := e.newItem(ItemClientToolCall)
	item.ClientCall = &ClientToolCall{
		CallID: client.ID, Name: client.Name, Arguments: json.RawMessage(client.Arguments), Beside: sameStep,
	}
	item.ReasoningDetails = details
	e.addUnsaved(item)
	return true, nil
}

// splitCalls separates the server's calls from the page's. The protocol has the
// page answer one call at a time; any further call gets a result that says so.
func (e *executor) splitCalls(calls []ToolCall) (server []ToolCall, client *ToolCall) {
	for _, call := range calls {
		switch {
		case !e.tools.client[call.Name] || call.Result != nil:
		case client == nil:
			client = &call
			continue
		default:
			busy := "Not called: the page takes one call at a time. Call it again."
			call.Result = &busy
		}
		server = append(server, call)
	}
	return server, client
}

// callServerTools stores the calls before they are made, since a call may
// change something outside, and their results after.
func (e *executor) callServerTools(calls []ToolCall, details json.RawMessage) error {
	item := e.closeMessage()
	item.ToolCalls, item.ReasoningDetails = calls, details
	e.unsaved = append(e.unsaved, item)
	if err := e.saveItems(); err != nil {
		return err
	}
	if item.Type == ItemAssistantMessage {
		e.log.append(PartDone{ItemID: item.ID, Text: item.Text()}, ItemDone{item})
	}
	item.ToolCalls = e.resultsOf(calls)
	if err := e.saveResults(item); err != nil {
		return err
	}
	messages := appendMessages(nil, &item, true)
	e.history = append(e.history, messages...)
	for _, message := range messages {
		e.size += len(message.Content)
	}
	return e.ctx.Err()
}

// resultsOf makes the calls that have no result yet, all at once.
func (e *executor) resultsOf(calls []ToolCall) []ToolCall {
	results := slices.Clone(calls)
	var running sync.WaitGroup
	for n := range results {
		call := &results[n]
		if call.Result != nil {
			continue
		}
		e.log.append(Progress{Text: "Using " + call.Name + " …"})
		running.Go(func() {
			text := replaceNUL(e.callTool(*call).Text)
			call.Result = &text
		})
	}
	running.Wait()
	truncateResults(results, e.s.resultChars())
	return results
}

func (e *executor) callTool(call ToolCall) (result ToolResult) {
	defer func() {
		if p := recover(); p != nil {
			e.logPanic(p)
			result = ToolResult{Text: "The tool failed.", Failed: true}
		}
	}()
	if e.s.Tools == nil || !e.tools.has(call.Name) {
		return ToolResult{Text: "There is no tool of this name.", Failed: true}
	}
	result = e.s.Tools.Call(e.ctx, ToolUse{Name: call.Name, Arguments: call.Arguments, UserID: e.userID})
	if result.Failed {
		e.s.Logger.WarnContext(e.ctx, "a tool call failed", "run", e.ID, "tool", call.Name)
	}
	return result
}
