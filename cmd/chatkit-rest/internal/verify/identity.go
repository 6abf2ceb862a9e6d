package verify

import (
	"context"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
)

// checkIdentity lists the keys of the identity server, so that they can be
// compared with those that it should have.
func (c checker) checkIdentity(ctx context.Context) (detail string, err error) {
	keys := auth.NewKeySet(auth.KeySetOptions{URL: c.settings.Identity.JWKSURL})
	defer keys.Close()
	found, err := keys.Fetch(ctx)
	if err != nil {
		return "", fmt.Errorf("JWKS_URL: %w", err)
	}
	return "keys: " + auth.Describe(found), nil
}
