package runs

import (
	"context"
	"slices"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// tools are the tools that the model may call in a run.
type tools struct {
	offered []chat.Tool
	// client has the names of the tools that the page offers.
	client map[string]bool
	// choice is the tool that the model must call first; empty leaves the
	// choice to the model.
	choice string
	// closed says that the model may call no tool any more.
	closed bool
}

// gatherTools joins the server's tools and the page's. Returns INVALID_REQUEST
// for tools that cannot be offered, and for a choice that is not among them.
func (s *Service) gatherTools(ctx context.Context, client []chat.Tool, choice string) (tools, error) {
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
			return tools{}, chat.Errorf(chat.CodeInvalidRequest, "The page's tools are longer than %d bytes; offer fewer, or describe them more briefly.", maxToolsBytes)
		}
		if tooDeep(tool.Parameters) {
			return tools{}, chat.Errorf(chat.CodeInvalidRequest, "The parameters of %q are nested deeper than %d levels.", tool.Name, maxDepth)
		}
		if all.has(tool.Name) {
			return tools{}, chat.Errorf(chat.CodeInvalidRequest, "There are two tools named %q; rename the page's.", tool.Name)
		}
		all.offered = append(all.offered, tool)
		all.client[tool.Name] = true
	}
	if choice != "" && !all.has(choice) {
		return tools{}, chat.Errorf(chat.CodeInvalidRequest, "There is no tool %q to choose.", choice)
	}
	all.choice = choice
	return all, nil
}

// chosen is the tool that the last user message of a history asks for. It is
// empty where the message asks for none, or the tool is not offered any more.
func (t tools) chosen(history []chat.Item) string {
	if len(history) == 0 {
		return ""
	}
	last := history[len(history)-1]
	if choice := last.Inference.ToolChoice; last.Type == chat.ItemUserMessage && t.has(choice) {
		return choice
	}
	return ""
}

// has reports whether a tool is offered.
func (t tools) has(name string) bool {
	return slices.ContainsFunc(t.offered, func(tool chat.Tool) bool { return tool.Name == name })
}
