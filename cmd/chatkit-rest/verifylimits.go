package main

import (
	"context"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// describeLimits reports the limits of the settings. It cannot fail.
func describeLimits(_ context.Context, settings config.Settings) (string, error) {
	rate := "NO RATE LIMIT"
	if settings.RateLimitPerMinute > 0 {
		rate = fmt.Sprintf("%d requests a minute for an address", settings.RateLimitPerMinute)
	}
	proxies := "no trusted proxy"
	if n := len(settings.TrustedProxies); n > 0 {
		proxies = fmt.Sprintf("%d trusted proxy range(s)", n)
	}
	return fmt.Sprintf("%s (%s), %d sessions a user, %d characters a message",
		rate, proxies, settings.MaxSessionsPerUser, settings.MaxMessageChars), nil
}
