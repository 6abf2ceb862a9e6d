package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// minRSABits is the shortest RSA key taken (RFC 7518, section 3.3).
const minRSABits = 2048

// Key is a public key of an identity server.
type Key struct {
	// ID is its kid.
	ID string
	// Algorithm is the one that it verifies, and no other.
	Algorithm string

	public crypto.PublicKey
}

// parseKeySet reads a JWK Set (RFC 7517, section 5). Keys that are of no use
// here are passed over, as the standard asks; a set without any other is an
// error.
func parseKeySet(text []byte) ([]Key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(text, &set) != nil || set.Keys == nil {
		return nil, errors.New("the answer is no JWK Set")
	}

	var keys []Key

	for _, text := range set.Keys {
		var jwk jose.JSONWebKey
		if jwk.UnmarshalJSON(text) != nil {
			continue
		}

		if algorithm := algorithmOf(&jwk); algorithm != "" {
			keys = append(keys, Key{ID: jwk.KeyID, Algorithm: algorithm, public: jwk.Key})
		}
	}

	if len(keys) == 0 {
		return nil, errors.New("the JWK Set has no public signature key with a kid for RS256, ES256 or EdDSA")
	}

	return keys, nil
}

// algorithmOf is the one algorithm that a key is good for; empty: none. It
// follows from the key's type, and the set may not say otherwise.
func algorithmOf(jwk *jose.JSONWebKey) string {
	if jwk.KeyID == "" || jwk.Use != "" && jwk.Use != "sig" {
		return ""
	}

	var names []string // in the set; the first is the one in tokens

	switch key := jwk.Key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() >= minRSABits {
			names = []string{rs256}
		}
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			names = []string{es256}
		}
	case ed25519.PublicKey:
		names = []string{edDSA, "Ed25519"} // the second is RFC 9864's
	}

	if len(names) == 0 || jwk.Algorithm != "" && !slices.Contains(names, jwk.Algorithm) {
		return ""
	}

	return names[0]
}
