package demo

import (
	"net/http"
	"strconv"
)

// refusal is an answer without a stream: an HTTP status and an error object
// whose code is the same number.
type refusal struct {
	status  int
	message string
	// retryAfter is in seconds; 0 sends no header.
	retryAfter int
	metadata   map[string]any
}

// refusals are the failures that OpenRouter documents, by status, with its messages.
func refusals() map[int]refusal {
	const soon = 5
	provider := func(raw string) map[string]any {
		return map[string]any{"raw": raw, "provider_name": providerName}
	}
	all := []refusal{
		{status: http.StatusBadRequest, message: "demo/unknown is not a valid model ID"},
		{status: http.StatusUnauthorized, message: "User not found."},
		{status: http.StatusPaymentRequired, message: "Insufficient credits. Add more using https://openrouter.ai/settings/credits"},
		{status: http.StatusForbidden, message: "The input was flagged by moderation", metadata: map[string]any{
			"reasons": []string{"demo"}, "flagged_input": "...", "provider_name": providerName, "model_slug": Model,
		}},
		{status: http.StatusNotFound, message: "No endpoints found for demo/unknown."},
		{status: http.StatusRequestTimeout, message: "Request timed out"},
		{status: http.StatusRequestEntityTooLarge, message: "Request Entity Too Large"},
		{
			status: http.StatusTooManyRequests, message: "Provider returned error", retryAfter: soon,
			metadata: provider(Model + " is temporarily rate-limited upstream. Please retry shortly."),
		},
		{status: http.StatusInternalServerError, message: "Internal Server Error"},
		{status: http.StatusBadGateway, message: "Provider returned error", metadata: provider("bad gateway")},
		{status: http.StatusServiceUnavailable, message: "No instances available", retryAfter: soon},
	}
	byStatus := make(map[int]refusal, len(all))
	for _, r := range all {
		byStatus[r.status] = r
	}
	return byStatus
}

func refuse(w http.ResponseWriter, r refusal) {
	if r.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(r.retryAfter))
	}
	detail := map[string]any{"message": r.message, "code": r.status}
	if r.metadata != nil {
		detail["metadata"] = r.metadata
	}
	writeJSON(w, r.status, map[string]any{"error": detail})
}
