package origin_test

import (
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/origin"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://app.example.com":     "https://app.example.com",
		"HTTPS://App.Example.com:443": "https://app.example.com",
		"http://localhost:80":         "http://localhost",
		"https://localhost:80":        "https://localhost:80",
		"http://[::1]:3000":           "http://[::1]:3000",
		"capacitor://localhost":       "capacitor://localhost",
		"ionic://localhost":           "ionic://localhost",
		"tauri://localhost":           "tauri://localhost",
		"app://.":                     "app://.",
		"app://-":                     "app://-",
		"app://obsidian.md":           "app://obsidian.md",
		"com.example.app://localhost": "com.example.app://localhost",
		"capacitor://localhost:80":    "capacitor://localhost:80",
		"chrome-extension://abcdefghijklmnopabcdefghijklmnop":         "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
		"moz-extension://0d1c9c6e-7a2f-4c55-9f0a-2f6c3f1d5b11":        "moz-extension://0d1c9c6e-7a2f-4c55-9f0a-2f6c3f1d5b11",
		"safari-web-extension://0D1C9C6E-7A2F-4C55-9F0A-2F6C3F1D5B11": "safari-web-extension://0d1c9c6e-7a2f-4c55-9f0a-2f6c3f1d5b11",
	} {
		got, ok := origin.Parse(text)
		if !ok || got.String() != want {
			t.Errorf("%s: got %s, %t, want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "null", "*", "://", "https://", "https:", "app.example.com", "https://:443", "https://a/", "https://a?b", "https://a#b",
		"https://u@a", "https://a,https://b", "https://a b", "https://a\\b", "https://a\tb", "file://", "file://host", "data://a",
		"ws://a", "wss://a", "1app://a", "a_b://localhost", "capacitor://localhost/", "capacitor://*", "app://a b", "app://u@a", "app://ä",
		"capacitor://", "capacitor://:1",
	} {
		if got, ok := origin.Parse(text); ok {
			t.Errorf("%q was taken as %s", text, got)
		}
	}
}
