package auth

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"
)

func hashOf(n int) tokenHash {
	return sha256.Sum256(binary.AppendVarint(nil, int64(n)))
}

// The cache is bounded however many tokens there are, and keeps those in use.
func TestTokenCacheIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cache tokenCache
		token := cachedToken{principal: Principal{UserID: "alice"}, expires: time.Now().Add(time.Hour)}
		cache.add(hashOf(-1), token)
		for n := range 5 * maxCachedTokens {
			cache.add(hashOf(n), token)
			if _, ok := cache.find(hashOf(-1), 0); !ok {
				t.Fatalf("the token in use was dropped after %d others", n)
			}
			if held := len(cache.recent) + len(cache.older); held > 2*maxCachedTokens {
				t.Fatalf("%d tokens are held", held)
			}
		}
		if _, ok := cache.find(hashOf(0), 0); ok {
			t.Error("a token that is not used is still held")
		}
	})
}

// A token is verified again when the keys were fetched again and when it has
// expired.
func TestTokenCacheForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cache tokenCache
		cache.add(hashOf(0), cachedToken{principal: Principal{UserID: "alice"}, expires: time.Now().Add(time.Hour), keys: 3})
		if principal, ok := cache.find(hashOf(0), 3); !ok || principal.UserID != "alice" {
			t.Errorf("got %+v, %t", principal, ok)
		}
		if _, ok := cache.find(hashOf(0), 4); ok {
			t.Error("the token is found with newer keys")
		}
		time.Sleep(time.Hour)
		if _, ok := cache.find(hashOf(0), 3); ok {
			t.Error("the token is found after its expiry")
		}
	})
}
