package openrouter

import (
	"encoding/json"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// FuzzRequestText checks that a text reaches upstream unchanged.
func FuzzRequestText(f *testing.F) {
	for _, text := range []string{
		"", "plain", "a \"quoted\" word, a \\ and\na line\r\n\tmore", "\x00\x01\x1f\x7f", "<b>&amp;</b>", "Wörter – 言葉 😀", "\u2028\u2029",
		"no UTF-8: \xff\xfe, and \xe2\x82",
	} {
		f.Add(text, "gpt")
	}
	f.Fuzz(func(t *testing.T, text, model string) {
		body, err := requestBody(chat.ModelRequest{
			Model: model, User: text, Messages: []chat.Message{{Role: chat.RoleSystem, Content: model}, {Role: chat.RoleUser, Content: text}},
		}, &Options{MaxTokens: 7})
		if err != nil {
			t.Fatal(err)
		}
		var sent struct {
			Model    string `json:"model"`
			User     string `json:"user"`
			Messages []struct {
				Role    string `json:"role"`
				Content string `json:"content"`
			} `json:"messages"`
		}
		if err := json.Unmarshal(body, &sent); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		valid := func(s string) string { return string([]rune(s)) }
		if sent.Model != valid(model) || sent.User != valid(text) || len(sent.Messages) != 2 ||
			sent.Messages[0].Content != valid(model) || sent.Messages[1].Content != valid(text) || sent.Messages[1].Role != "user" {
			t.Errorf("%q and %q were sent as %s", model, text, body)
		}
	})
}
