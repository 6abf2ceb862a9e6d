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

// minRSABits is the shortest RSA key accepted (RFC 7518, section 3.3).
const minRSABits = 2048

// Key is a public key of an identity server.
type Key struct {
	// ID is the key's kid; it may be empty when the set has no other key.
	ID string
	// Algorithm is the only one that the key verifies.
	Algorithm string

	public crypto.PublicKey
}

// parseKeySet reads a JWK Set (RFC 7517, section 5). Keys of other kinds and
// uses are ignored, as the standard asks, and so are keys without a kid where
// there are several keys, because tokens cannot name them. A set without any
// other key is an error.
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
		return nil, errors.New("the JWK Set has no public signature key for RS256, ES256 or EdDSA")
	}

	if len(keys) > 1 {
		keys = slices.DeleteFunc(keys, func(key Key) bool { return key.ID == "" })
	}

	if len(keys) == 0 {
		return nil, errors.New("the JWK Set has several keys and none has a kid")
	}

	return keys, nil
}

// algorithmOf returns the one algorithm that a key verifies, or "" for a key
// that is of no use here. It follows from the key's type; a key whose alg says
// otherwise is ignored.
func algorithmOf(jwk *jose.JSONWebKey) string {
	if jwk.Use != "" && jwk.Use != "sig" {
		return ""
	}

	var names []string // as the set spells them; tokens use the first

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
		names = []string{edDSA, "Ed25519"} // the name of RFC 9864
	}

	if len(names) == 0 || jwk.Algorithm != "" && !slices.Contains(names, jwk.Algorithm) {
		return ""
	}

	return names[0]
}
