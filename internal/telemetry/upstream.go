package telemetry

import (
	"net/url"
	"strconv"
	"strings"
)

// Upstream describes the model provider.
type Upstream struct {
	// BaseURL is the base URL of its API.
	BaseURL string
	// Model is the default model.
	Model string
}

// address returns the host and port of the API.
func (u Upstream) address() (string, int) {
	base, err := url.Parse(u.BaseURL)
	if err != nil {
		return "", 0
	}
	if port, err := strconv.Atoi(base.Port()); err == nil {
		return base.Hostname(), port
	}
	if base.Scheme == "http" {
		return base.Hostname(), 80
	}
	return base.Hostname(), 443
}

// provider returns the gen_ai.provider.name. For an unknown host the conventions name
// the API, which is OpenAI's.
func (u Upstream) provider() string {
	host, _ := u.address()
	for domain, name := range map[string]string{
		"openrouter.ai":     "openrouter",
		"api.deepseek.com":  "deepseek",
		"api.groq.com":      "groq",
		"api.mistral.ai":    "mistral_ai",
		"api.perplexity.ai": "perplexity",
		"api.x.ai":          "x_ai",
		"openai.azure.com":  "azure.ai.openai",
	} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return name
		}
	}
	return "openai"
}
