package openrouter

import (
	"encoding/json"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

type requestTool struct {
	Type     string              `json:"type"`
	Function requestToolFunction `json:"function"`
}

type requestToolFunction struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
}

type requestChoice struct {
	Type     string          `json:"type"`
	Function requestToolName `json:"function"`
}

type requestToolName struct {
	Name string `json:"name"`
}

// noTool is the tool_choice that forbids calls.
const noTool = "none"

// addTools sets the tools that the model may call, and the tool_choice.
func (r *completionRequest) addTools(req *chat.ModelRequest) {
	if len(req.Tools) == 0 {
		// Some providers refuse a history with calls if the request has no tools.
		if r.Tools = calledTools(r.Messages); len(r.Tools) > 0 {
			r.ToolChoice = noTool
		}
		return
	}
	r.Tools = fromTools(req.Tools)
	switch {
	case req.NoCalls:
		r.ToolChoice = noTool
	case req.ToolChoice != "":
		r.ToolChoice = requestChoice{Type: functionType, Function: requestToolName{Name: req.ToolChoice}}
	}
}

func fromTools(tools []chat.Tool) []requestTool {
	to := make([]requestTool, len(tools))
	for n, tool := range tools {
		to[n] = requestTool{
			Type:     functionType,
			Function: requestToolFunction{Name: tool.Name, Description: tool.Description, Parameters: tool.Parameters},
		}
	}
	return to
}

// calledTools returns the tools of the calls in the messages, each once. Only their
// names are known.
func calledTools(messages []requestMessage) []requestTool {
	var tools []requestTool
	known := map[string]bool{}
	for _, message := range messages {
		for _, call := range message.ToolCalls {
			name := call.Function.Name
			if known[name] {
				continue
			}
			known[name] = true
			tools = append(tools, requestTool{
				Type:     functionType,
				Function: requestToolFunction{Name: name, Parameters: json.RawMessage(`{"type":"object","properties":{}}`)},
			})
		}
	}
	return tools
}
