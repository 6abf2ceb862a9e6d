package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// tools are what the model may call in a run.
type tools struct {
	offered []Tool
	// client are the names of those that the page offers.
	client map[string]bool
	// choice is the one that the model must call first.
	choice string
	// closed says that it may call none any more.
	closed bool
}

// gatherTools joins the server's tools and the page's.
func (s *Service) gatherTools(ctx context.Context, client []Tool, choice string) (tools, error) {
	var all tools
	if s.Tools != nil {
		all.offered = s.Tools.Tools(ctx)
	}
	if len(client) > 0 {
		all.offered = slices.Clone(all.offered)
		all.client = make(map[string]bool, len(client))
	}
	size := 0
	for _, tool := range client {
		size += len(tool.Description) + len(tool.Parameters)
		if size > maxToolsBytes {
			return tools{}, Errorf(CodeInvalidRequest, "The page's tools are longer than %d bytes; offer fewer, or say less.", maxToolsBytes)
		}
		if tooDeep(tool.Parameters) {
			return tools{}, Errorf(CodeInvalidRequest, "The parameters of %q are nested deeper than %d levels.", tool.Name, maxDepth)
		}
		if all.has(tool.Name) {
			return tools{}, Errorf(CodeInvalidRequest, "There are two tools named %q; name the page's otherwise.", tool.Name)
		}
		all.offered = append(all.offered, tool)
		all.client[tool.Name] = true
	}
	if choice != "" && !all.has(choice) {
		return tools{}, Errorf(CodeInvalidRequest, "There is no tool %q to choose.", choice)
	}
	all.choice = choice
	return all, nil
}

// chosen is the choice of a user message that is answered anew; empty where
// there is none, or the tool is there no more.
func (t tools) chosen(history []Item) string {
	if len(history) == 0 {
		return ""
	}
	last := history[len(history)-1]
	if choice := last.Inference.ToolChoice; last.Type == ItemUserMessage && t.has(choice) {
		return choice
	}
	return ""
}

func (t tools) has(name string) bool {
	return slices.ContainsFunc(t.offered, func(tool Tool) bool { return tool.Name == name })
}

// clean makes a text of upstream's one that PostgreSQL can hold.
func clean(text string) string { return strings.ReplaceAll(text, "\x00", "\uFFFD") }

// callTools runs the server's tools that the model called in a step, side by
// side, and readies the next step. It says whether the run now waits for the
// page: then the call of the page's tool is the last item.
func (s *Service) callTools(r *ActiveRun, t *turn, calls []ToolCall, details json.RawMessage) (waits bool, err error) {
	ours, theirs := t.split(r, calls)
	beside := len(ours) > 0 || t.text.Len() > 0
	if len(ours) > 0 {
		if err := s.callOurs(r, t, ours, details); err != nil {
			return false, err
		}
	}
	if theirs == nil {
		return false, nil
	}
	s.endMessage(r, t)
	s.leaveThinking(r, t)
	item := Item{
		ID: newID(), SessionID: r.session.ID, RunID: r.ID, Type: ItemClientToolCall, CreatedAt: s.now(),
		ClientCall: &ClientToolCall{
			CallID: theirs.ID, Name: theirs.Name, Arguments: objectOf(theirs.Arguments), Beside: beside,
		},
	}
	if len(ours) == 0 {
		item.ReasoningDetails = details
	}
	t.keep(item)
	return true, nil
}

// split divides the calls. The page answers one call at a time, as the
// protocol has it; the model is told so of any further one.
func (t *turn) split(r *ActiveRun, calls []ToolCall) (ours []ToolCall, theirs *ToolCall) {
	for _, call := range calls {
		switch {
		case !r.tools.client[call.Name]:
		case theirs == nil:
			theirs = &call
			continue
		default:
			busy := "Not called: the page takes one call at a time. Call it again."
			call.Result = &busy
		}
		ours = append(ours, call)
	}
	return ours, theirs
}

// callOurs stores the calls before they are made, since they may change the
// world, and their results after.
func (s *Service) callOurs(r *ActiveRun, t *turn, calls []ToolCall, details json.RawMessage) error {
	item := t.takeMessage(s, r)
	told := item.Type == ItemAssistantMessage
	item.ToolCalls, item.ReasoningDetails = calls, details
	t.items = append(t.items, item)
	if err := s.saveItems(r, t); err != nil {
		return err
	}
	if told {
		r.log.append(PartDone{ItemID: item.ID, Text: item.Text()}, ItemDone{item})
	}
	item.ToolCalls = s.resultsOf(r, calls)
	if err := s.saveResults(r, t, item); err != nil {
		return err
	}
	messages := appendMessages(nil, &item, true)
	r.history = append(r.history, messages...)
	for _, message := range messages {
		t.size += len(message.Content)
	}
	return r.ctx.Err()
}

// resultsOf makes the calls that have no result yet.
func (s *Service) resultsOf(r *ActiveRun, calls []ToolCall) []ToolCall {
	results := slices.Clone(calls)
	var all sync.WaitGroup
	for n := range results {
		call := &results[n]
		if call.Result != nil {
			continue
		}
		r.log.append(Progress{Text: "Using " + call.Name + " …"})
		all.Go(func() {
			text := clean(s.callTool(r, *call).Text)
			call.Result = &text
		})
	}
	all.Wait()
	shareRoom(results, s.resultChars())
	return results
}

func (s *Service) callTool(r *ActiveRun, call ToolCall) (result ToolResult) {
	defer func() {
		if p := recover(); p != nil {
			s.logPanic(r, p)
			result = ToolResult{Text: "The tool failed.", Failed: true}
		}
	}()
	if s.Tools == nil || !r.tools.has(call.Name) {
		return ToolResult{Text: "There is no tool of this name.", Failed: true}
	}
	if tooDeep([]byte(call.Arguments)) {
		return ToolResult{Text: fmt.Sprintf("Not called: the arguments are nested deeper than %d levels.", maxDepth), Failed: true}
	}
	result = s.Tools.Call(r.ctx, ToolUse{Name: call.Name, Arguments: call.Arguments, UserID: r.user})
	if result.Failed {
		s.Logger.WarnContext(r.ctx, "a tool call failed", "run", r.ID, "tool", call.Name)
	}
	return result
}

// objectOf is the arguments as a JSON object; what a model wrote may be none, or
// one that nobody reads.
func objectOf(arguments string) json.RawMessage {
	var object map[string]json.RawMessage
	if tooDeep([]byte(arguments)) || json.Unmarshal([]byte(arguments), &object) != nil || object == nil {
		return json.RawMessage("{}")
	}
	return json.RawMessage(arguments)
}
