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

// noTool is the choice that forbids the model to call any.
const noTool = "none"

// offer says which tools the model may call, and how it is to choose.
func (r *completionRequest) offer(req *chat.ModelRequest) {
	if len(req.Tools) == 0 {
		// Some providers refuse calls in the history without tools.
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

// calledTools are those of the calls in the messages, each once; nothing but
// their names is known any more.
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
