package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
)

// pseudonymKeyName is the name, in the database, of the key of the pseudonyms. It
// is not a setting, so that the pseudonyms stay the same when JWT_SECRET changes.
const pseudonymKeyName = "pseudonym"

// newPseudonym returns the function that makes the pseudonym under which the
// model service knows a user.
func newPseudonym(ctx context.Context, secrets *store.Store) (func(userID string) string, error) {
	secret, err := secrets.Secret(ctx, pseudonymKeyName)
	if err != nil {
		return nil, fmt.Errorf("read the key of pseudonyms from the database: %w", err)
	}
	return func(userID string) string { return auth.Pseudonym([]byte(secret), userID) }, nil
}

// newVerifier makes the verifier of tokens of JWT_SECRET, of JWKS_URL, or of both.
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

// signingSecret returns the secret for tokens that the program itself makes.
func signingSecret(settings config.Settings) ([]byte, error) {
	if len(settings.JWTSecrets) == 0 {
		return nil, errors.New("JWT_SECRET is not set, so this server accepts only tokens of the identity server of JWKS_URL: " +
			"get one there, or also set JWT_SECRET")
	}
	return []byte(settings.JWTSecrets[0].Reveal()), nil
}
