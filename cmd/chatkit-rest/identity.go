package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
)

// pseudonymSecret names the value that keys the pseudonyms. It is in the
// database and no setting, so that users keep their pseudonyms whatever
// becomes of JWT_SECRET.
const pseudonymSecret = "pseudonym"

func newPseudonym(ctx context.Context, db *store.Store) (func(userID string) string, error) {
	secret, err := db.Secret(ctx, pseudonymSecret)
	if err != nil {
		return nil, fmt.Errorf("read the key of pseudonyms from the database: %w", err)
	}
	return func(userID string) string { return auth.Pseudonym([]byte(secret), userID) }, nil
}

// newVerifier takes the tokens of JWT_SECRET, of JWKS_URL, or of both.
func (a *assembly) newVerifier(settings config.Settings) (*auth.JWT, error) {
	options := auth.Options{
		Issuer: settings.Identity.Issuer, Audiences: settings.Identity.Audiences, MaxTTL: settings.JWTMaxTTL,
	}
	for _, secret := range settings.JWTSecrets {
		options.Secrets = append(options.Secrets, []byte(secret.Reveal()))
	}
	if settings.Identity.IsSet() {
		options.Keys = auth.NewKeySet(auth.KeySetOptions{URL: settings.Identity.JWKSURL, Logger: a.logger})
		a.closers = append(a.closers, options.Keys.Close)
		options.Keys.Start()
	}
	verifier, err := auth.NewJWT(options)
	if err != nil {
		return nil, fmt.Errorf("JWT_SECRET, JWKS_URL: %w", err)
	}
	return verifier, nil
}

// signingSecret signs the tokens that the program itself makes.
func signingSecret(settings config.Settings) ([]byte, error) {
	if len(settings.JWTSecrets) == 0 {
		return nil, errors.New("JWT_SECRET is not set, so this server takes only tokens of the identity server of JWKS_URL: " +
			"get one there, or set JWT_SECRET beside it")
	}
	return []byte(settings.JWTSecrets[0].Reveal()), nil
}
