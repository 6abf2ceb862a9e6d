package openrouter

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// appendJSON adds the request as JSON. Its messages are most of it and most of
// them are texts, which encoding/json would find out by reflection one by one.
func (r *completionRequest) appendJSON(to []byte) ([]byte, error) {
	to = append(to, `{"model":`...)
	to = appendText(to, r.Model)
	if r.User != "" {
		to = appendText(append(to, `,"user":`...), r.User)
	}
	if r.MaxTokens > 0 {
		to = strconv.AppendInt(append(to, `,"max_tokens":`...), int64(r.MaxTokens), 10)
	}
	to = append(to, `,"stream":true,"stream_options":{"include_usage":true},"messages":[`...)
	var err error
	for n := range r.Messages {
		if n > 0 {
			to = append(to, ',')
		}
		if to, err = r.Messages[n].appendJSON(to); err != nil {
			return nil, err
		}
	}
	to = append(to, ']')
	for _, field := range r.rare() {
		to = append(to, `,"`+field.name+`":`...)
		if to, err = appendValue(to, field.value); err != nil {
			return nil, err
		}
	}
	return append(to, '}'), nil
}

type requestField struct {
	name  string
	value any
}

// rare are the fields that most requests do not have.
func (r *completionRequest) rare() []requestField {
	var fields []requestField
	if len(r.Models) > 0 {
		fields = append(fields, requestField{"models", r.Models})
	}
	if len(r.Tools) > 0 {
		fields = append(fields, requestField{"tools", r.Tools})
	}
	if r.ToolChoice != nil {
		fields = append(fields, requestField{"tool_choice", r.ToolChoice})
	}
	return fields
}

func (m *requestMessage) appendJSON(to []byte) ([]byte, error) {
	text, ok := m.Content.(string)
	if !ok || m.ToolCalls != nil || m.ToolCallID != "" || m.ReasoningDetails != nil {
		return appendValue(to, m)
	}
	to = appendText(append(to, `{"role":`...), string(m.Role))
	to = appendText(append(to, `,"content":`...), text)
	return append(to, '}'), nil
}

func appendValue(to []byte, value any) ([]byte, error) {
	buffer := bytes.NewBuffer(to)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), err
}

// appendText adds a string. Each byte in it that is no UTF-8 becomes U+FFFD, as
// in encoding/json.
func appendText(to []byte, text string) []byte {
	if !utf8.ValidString(text) {
		text = string([]rune(text))
	}
	to = append(to, '"')
	done := 0
	for n := range len(text) {
		c := text[n]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		to = append(to, text[done:n]...)
		to = appendEscape(to, c)
		done = n + 1
	}
	return append(append(to, text[done:]...), '"')
}

func appendEscape(to []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(to, '\\', c)
	case '\n':
		return append(to, `\n`...)
	default:
		return append(to, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
	}
}
