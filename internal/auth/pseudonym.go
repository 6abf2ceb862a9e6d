package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

const pseudonymHexChars = 32

// Pseudonym names a user to the upstream without telling who it is: the same
// for the same secret and user, 32 hex characters (128 bits). Its key is
// derived from the secret for this use alone, so no pseudonym tells anything
// about a token's signature.
func Pseudonym(secret []byte, userID string) string {
	key := hmacSHA256(secret, "chatkit-rest upstream user")

	return hex.EncodeToString(hmacSHA256(key, userID))[:pseudonymHexChars]
}

func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))

	return mac.Sum(nil)
}
