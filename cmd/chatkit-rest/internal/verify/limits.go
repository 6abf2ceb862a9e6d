package verify

import (
	"context"
	"fmt"
)

// describeLimits reports the limits of the settings. It cannot fail.
func (c checker) describeLimits(_ context.Context) (string, error) {
	rate := "NO RATE LIMIT"
	if c.settings.RateLimitPerMinute > 0 {
		rate = fmt.Sprintf("%d requests a minute for an address", c.settings.RateLimitPerMinute)
	}
	proxies := "no trusted proxy"
	if n := len(c.settings.TrustedProxies); n > 0 {
		proxies = fmt.Sprintf("%d trusted proxy range(s)", n)
	}
	return fmt.Sprintf("%s (%s), %d sessions a user, %d characters a message",
		rate, proxies, c.settings.MaxSessionsPerUser, c.settings.MaxMessageChars), nil
}
