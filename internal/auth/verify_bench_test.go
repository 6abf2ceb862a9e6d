package auth_test

import (
	"testing"
)

// BenchmarkVerify measures the verification of a token, with the cache of
// verified tokens and without.
func BenchmarkVerify(b *testing.B) {
	server := &identityServer{keys: jwks("RS256", "ES256", "EdDSA")}
	v, _ := newIdentity(b, server, []byte(secret))
	tokens := map[string]string{"HS256": mint(b, "alice")}
	for name, signer := range signers() {
		tokens[name] = signer.sign(b, nil)
	}
	for name, token := range tokens {
		for _, cached := range []bool{true, false} {
			label := name + "/verified"
			if cached {
				label = name + "/cached"
			}
			b.Run(label, func(b *testing.B) {
				for b.Loop() {
					if !cached {
						v.ForgetTokens()
					}
					if _, err := v.Verify(b.Context(), token); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
