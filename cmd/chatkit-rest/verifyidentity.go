package main

import (
	"context"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// verifyIdentity lists the keys of the identity server, so that they can be
// compared with those that it should have.
func verifyIdentity(ctx context.Context, settings config.Settings) (detail string, err error) {
	keys := auth.NewKeySet(auth.KeySetOptions{URL: settings.Identity.JWKSURL})
	defer keys.Close()
	found, err := keys.Fetch(ctx)
	if err != nil {
		return "", fmt.Errorf("JWKS_URL: %w", err)
	}
	return "keys: " + auth.Describe(found), nil
}
