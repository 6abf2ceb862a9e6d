package auth

import (
	"crypto/sha256"
	"sync"
	"time"
)

// maxCachedTokens bounds each of the cache's two generations.
const maxCachedTokens = 4096

// tokenCache remembers tokens that were verified, by their hash. Under
// thousands of reads a second it saves about half of a read's CPU where tokens
// are signed with ES256, a third with RS256 and a tenth with HS256
// (BenchmarkVerify).
type tokenCache struct {
	mu sync.Mutex
	// recent becomes older when it is full; what is in older and is not used
	// until recent is full again is dropped.
	recent, older map[tokenHash]cachedToken
}

type tokenHash = [sha256.Size]byte

// cachedToken is the result of verifying a token.
type cachedToken struct {
	principal Principal
	expires   time.Time
	// keys is the generation of the key set that the token was verified with.
	keys uint64
}

// find returns the principal of a token that was verified with this generation
// of keys and has not expired.
func (c *tokenCache) find(hash tokenHash, keys uint64) (Principal, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	token, ok := c.recent[hash]
	if !ok {
		if token, ok = c.older[hash]; !ok {
			return Principal{}, false
		}
		c.put(hash, token)
	}
	if token.keys != keys || !time.Now().Before(token.expires) {
		return Principal{}, false
	}
	return token.principal, true
}

// add remembers a token that was verified.
func (c *tokenCache) add(hash tokenHash, token cachedToken) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(hash, token)
}

// put requires that the caller holds the lock.
func (c *tokenCache) put(hash tokenHash, token cachedToken) {
	if c.recent == nil || len(c.recent) >= maxCachedTokens {
		c.recent, c.older = make(map[tokenHash]cachedToken), c.recent
	}
	c.recent[hash] = token
}
