package auth

import (
	"crypto/sha256"
	"sync"
	"time"
)

// maxVerified bounds the tokens remembered: twice as many at most.
const maxVerified = 4096

// verified remembers tokens that were found good, by their hash: to judge one
// anew takes several times as long as all else that a request's check does.
type verified struct {
	mu sync.Mutex
	// recent tokens become older ones when they are many; those of older that
	// are not seen again go then.
	recent, older map[[sha256.Size]byte]judgement
}

// judgement is what a token was found to be.
type judgement struct {
	principal Principal
	expires   time.Time
	// keys is the generation of the identity server's keys it was made with.
	keys uint64
}

// find returns the principal of a token that is good now, by these keys.
func (v *verified) find(token [sha256.Size]byte, keys uint64) (Principal, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()

	found, ok := v.recent[token]
	if !ok {
		if found, ok = v.older[token]; !ok {
			return Principal{}, false
		}

		v.put(token, found)
	}

	if found.keys != keys || !time.Now().Before(found.expires) {
		return Principal{}, false
	}

	return found.principal, true
}

// keep remembers a judgement.
func (v *verified) keep(token [sha256.Size]byte, made judgement) {
	v.mu.Lock()
	defer v.mu.Unlock()

	v.put(token, made)
}

// put is for who holds the lock.
func (v *verified) put(token [sha256.Size]byte, made judgement) {
	if v.recent == nil || len(v.recent) >= maxVerified {
		v.recent, v.older = make(map[[sha256.Size]byte]judgement), v.recent
	}

	v.recent[token] = made
}
