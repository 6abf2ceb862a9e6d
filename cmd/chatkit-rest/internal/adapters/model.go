package adapters

import (
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/openrouter"
)

// NewModel makes the client of the model service. Requests name the version of
// this program.
func NewModel(settings config.Settings, version string) (*openrouter.Client, error) {
	model, err := openrouter.New(openrouter.Options{
		BaseURL: settings.OpenRouterBaseURL, Key: settings.OpenRouterAPIKey.Reveal(), Model: settings.OpenRouterModel,
		FallbackModels: settings.OpenRouterFallbackModels, MaxTokens: settings.OpenRouterMaxTokens,
		SiteURL: settings.OpenRouterSiteURL, AppName: settings.OpenRouterAppName, UserAgent: "chatkit-rest/" + version,
		FirstByteTimeout: settings.UpstreamFirstByteTimeout, IdleTimeout: settings.UpstreamIdleTimeout,
	})
	if err != nil {
		return nil, fmt.Errorf("set up the model provider: %w", err)
	}
	return model, nil
}
