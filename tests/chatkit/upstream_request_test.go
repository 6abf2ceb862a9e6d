//go:build chatkit

package chatkit_test

import (
	"encoding/json"
	"fmt"
	"strings"
)

// checkAsked returns the differences between a step's last request to the upstream
// and the expected one.
func checkAsked(want *asked, r record) []string {
	if want == nil {
		return nil
	}
	if len(r.Asked) == 0 {
		return []string{"the upstream was not asked"}
	}
	var complaints []string
	if want.Times != 0 && len(r.Asked) != want.Times {
		complaints = append(complaints, fmt.Sprintf("the upstream was asked %d times, not %d", len(r.Asked), want.Times))
	}
	var request struct {
		Model      string          `json:"model"`
		Messages   any             `json:"messages"`
		ToolChoice json.RawMessage `json:"tool_choice"`
	}
	last := r.Asked[len(r.Asked)-1]
	if err := json.Unmarshal(last, &request); err != nil {
		return append(complaints, fmt.Sprintf("%v: %s", err, last))
	}
	said := texts(request.Messages)
	for _, text := range want.Contains {
		if !strings.Contains(said, text) {
			complaints = append(complaints, fmt.Sprintf("the upstream was not sent %q: %s", text, last))
		}
	}
	for _, text := range want.Lacks {
		if strings.Contains(said, text) {
			complaints = append(complaints, fmt.Sprintf("the upstream was sent %q: %s", text, last))
		}
	}
	if want.Model != "" && request.Model != want.Model {
		complaints = append(complaints, fmt.Sprintf("the model is %q, not %q", request.Model, want.Model))
	}
	return complaints
}

// texts returns all strings of a JSON value, in order.
func texts(value any) string {
	var all strings.Builder
	switch v := value.(type) {
	case string:
		return v + "\n"
	case []any:
		for _, entry := range v {
			all.WriteString(texts(entry))
		}
	case map[string]any:
		for _, entry := range v {
			all.WriteString(texts(entry))
		}
	}
	return all.String()
}
