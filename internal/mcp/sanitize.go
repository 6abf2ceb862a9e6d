package mcp

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// sanitizer repairs the messages of a server before the library reads them.
// The library rejects a whole result for one part that it cannot decode, and
// closes the connection for a message that it cannot decode.
type sanitizer struct {
	warnings *warnings
	redact   redactor
}

// codeInternal is JSON-RPC's code of an internal error.
const codeInternal = -32603

// message returns the message in a form that the library can decode. It
// returns an error for what is no JSON-RPC message.
func (s *sanitizer) message(raw []byte) ([]byte, error) {
	decoded, err := jsonrpc.DecodeMessage(raw)
	if err != nil {
		return repairError(raw, err)
	}
	response, ok := decoded.(*jsonrpc.Response)
	if !ok || response.Error != nil {
		return raw, nil //nolint:nilerr // the server's error is a message too
	}
	result, changed := s.result(response.Result)
	if !changed {
		return raw, nil
	}
	response.Result = result
	return jsonrpc.EncodeMessage(response)
}

// repairError repairs a response whose error is not the object that JSON-RPC
// wants. It returns reason for anything else.
func repairError(raw []byte, reason error) ([]byte, error) {
	var response struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   json.RawMessage `json:"error"`
	}
	if json.Unmarshal(raw, &response) != nil || response.Version == "" || len(response.ID) == 0 || len(response.Error) == 0 {
		return nil, reason
	}
	var object struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(response.Error, &object) != nil && object.Message == "" {
		object.Message = text(response.Error)
	}
	repaired, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": response.ID, "error": map[string]any{"code": codeInternal, "message": object.Message},
	})
	if err != nil {
		return nil, err
	}
	if _, err := jsonrpc.DecodeMessage(repaired); err != nil {
		return nil, reason
	}
	return repaired, nil
}

// text returns the text of a JSON string, and other JSON as it is written.
func text(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// result repairs the result of a call or a list of tools, by its fields.
func (s *sanitizer) result(raw json.RawMessage) (repaired json.RawMessage, changed bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return encode(map[string]any{"content": []any{textPart(text(raw))}}), true
	}
	_, isList := fields["tools"]
	_, hasContent := fields["content"]
	_, hasError := fields["isError"]
	switch {
	case isList && json.Unmarshal(raw, new(sdk.ListToolsResult)) != nil:
		return s.toolList(fields), true
	case (hasContent || hasError) && json.Unmarshal(raw, new(sdk.CallToolResult)) != nil:
		return callResult(fields), true
	default:
		return raw, false
	}
}

// callResult keeps every part of the content that can be decoded. A note
// stands for each other part, beside the text that was found in it.
func callResult(fields map[string]json.RawMessage) json.RawMessage {
	repaired := map[string]any{"isError": isTrue(fields["isError"])}
	if structured, ok := fields["structuredContent"]; ok {
		repaired["structuredContent"] = structured
	}
	if kind, ok := fields["resultType"]; ok {
		repaired["resultType"] = text(kind)
	}
	var parts []json.RawMessage
	if json.Unmarshal(fields["content"], &parts) != nil && len(fields["content"]) > 0 {
		parts = []json.RawMessage{fields["content"]}
	}
	content := make([]any, 0, len(parts))
	for _, part := range parts {
		if json.Unmarshal(encode(map[string]any{"content": []any{part}}), new(sdk.CallToolResult)) == nil {
			content = append(content, part)
		} else {
			content = append(content, textPart(readable(part)))
		}
	}
	repaired["content"] = content
	return encode(repaired)
}

// readable returns the text in a part that could not be decoded, with a note.
func readable(raw json.RawMessage) string {
	var found string
	if json.Unmarshal(raw, &found) == nil {
		return found
	}
	var part, resource map[string]json.RawMessage
	_ = json.Unmarshal(raw, &part) // What is no object has no text.
	kind := "unknown"
	_ = json.Unmarshal(part["type"], &kind)
	_ = json.Unmarshal(part["resource"], &resource)
	for _, candidate := range []json.RawMessage{part["text"], resource["text"]} {
		if json.Unmarshal(candidate, &found) == nil && found != "" {
			return found + fmt.Sprintf("\n[This part, of the type %q, could not be read completely.]", kind)
		}
	}
	return fmt.Sprintf("[a part of the type %q, which cannot be read here]", kind)
}

// isTrue reads a flag that may be written as a text or a number. A flag that
// cannot be read counts as set.
func isTrue(raw json.RawMessage) bool {
	switch text(raw) {
	case "", "null", "false", "False", "0":
		return false
	default:
		return true
	}
}

// toolList keeps of each tool that cannot be decoded what is needed to offer
// it: the name, the description and the schema.
func (s *sanitizer) toolList(fields map[string]json.RawMessage) json.RawMessage {
	var tools []json.RawMessage
	if json.Unmarshal(fields["tools"], &tools) != nil {
		s.warnings.warn(context.Background(), "the list of tools is no list", "")
	}
	kept := make([]any, 0, len(tools))
	for _, raw := range tools {
		reason := json.Unmarshal(raw, new(sdk.Tool))
		if reason == nil {
			kept = append(kept, raw)
			continue
		}
		var tool map[string]json.RawMessage
		if json.Unmarshal(raw, &tool) != nil {
			s.warnings.warn(context.Background(), "a tool is left out: it is no object", "")
			continue
		}
		var name, description string
		_ = json.Unmarshal(tool["name"], &name) // A tool without a name is left out later.
		_ = json.Unmarshal(tool["description"], &description)
		s.warnings.warn(context.Background(), "fields of a tool cannot be read and are ignored", name,
			"tool", s.redact.forLog(name), "error", s.redact.forLog(reason.Error()))
		kept = append(kept, map[string]any{"name": name, "description": description, "inputSchema": tool["inputSchema"]})
	}
	repaired := map[string]any{"tools": kept}
	var cursor string
	if json.Unmarshal(fields["nextCursor"], &cursor) == nil {
		repaired["nextCursor"] = cursor
	}
	if kind, ok := fields["resultType"]; ok {
		repaired["resultType"] = text(kind)
	}
	return encode(repaired)
}

func textPart(text string) map[string]any { return map[string]any{"type": "text", "text": text} }

// encode encodes what was decoded from JSON before, which cannot fail.
func encode(value any) json.RawMessage {
	encoded, err := json.Marshal(value)
	if err != nil {
		return json.RawMessage("null")
	}
	return encoded
}
