package demo

import (
	"encoding/json"
	"net/http"
)

// describeKey serves GET /key.
func (s *Server) describeKey(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"data": map[string]any{
		"label":                 "sk-or-demo-...",
		"limit":                 nil,
		"limit_reset":           nil,
		"limit_remaining":       nil,
		"include_byok_in_limit": false,
		"usage":                 0,
		"usage_daily":           0,
		"usage_weekly":          0,
		"usage_monthly":         0,
		"byok_usage":            0,
		"is_free_tier":          true,
		"is_provisioning_key":   false,
		"is_management_key":     false,
	}})
}

// listModels serves GET /models.
func listModels(w http.ResponseWriter, _ *http.Request) {
	const contextLength = 1_000_000
	writeJSON(w, http.StatusOK, map[string]any{"data": []any{map[string]any{
		"id":             Model,
		"canonical_slug": Model,
		"name":           "Demo (no model)",
		"created":        0,
		"description":    "Answers from fixed rules; no model is behind it.",
		"context_length": contextLength,
		"architecture": map[string]any{
			"modality":          "text->text",
			"input_modalities":  []string{"text"},
			"output_modalities": []string{"text"},
		},
		"pricing":              map[string]string{"prompt": "0", "completion": "0"},
		"supported_parameters": []string{},
	}}})
}

// writeJSON answers with one JSON object. A failed write is a disconnected client.
func writeJSON(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}
