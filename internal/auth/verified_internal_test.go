package auth

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"
)

func hashOf(n int) [sha256.Size]byte {
	return sha256.Sum256(binary.AppendVarint(nil, int64(n)))
}

// However many tokens come, those remembered are bounded, and the ones in use
// stay among them.
func TestVerifiedTokensAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var v verified

		good := judgement{principal: Principal{UserID: "alice"}, expires: time.Now().Add(time.Hour)}
		v.keep(hashOf(-1), good)

		for n := range 5 * maxVerified {
			v.keep(hashOf(n), good)

			if _, ok := v.find(hashOf(-1), 0); !ok {
				t.Fatalf("the token in use is forgotten after %d others", n)
			}

			if held := len(v.recent) + len(v.older); held > 2*maxVerified {
				t.Fatalf("%d tokens are held", held)
			}
		}

		if _, ok := v.find(hashOf(0), 0); ok {
			t.Error("a token that nobody uses is held for ever")
		}
	})
}

func TestVerifiedTokensAreJudgedAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var v verified

		v.keep(hashOf(0), judgement{principal: Principal{UserID: "alice"}, expires: time.Now().Add(time.Hour), keys: 3})

		if principal, ok := v.find(hashOf(0), 3); !ok || principal.UserID != "alice" {
			t.Errorf("got %+v, %t", principal, ok)
		}

		if _, ok := v.find(hashOf(0), 4); ok {
			t.Error("a judgement outlives its keys")
		}

		time.Sleep(time.Hour)

		if _, ok := v.find(hashOf(0), 3); ok {
			t.Error("a judgement outlives its token")
		}
	})
}
