package auth

import (
	"context"
	"crypto"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// refreshEvery is how often keys are fetched in any case: so long may a
	// key be good that the identity server has taken back.
	refreshEvery = 5 * time.Minute
	// retryEvery is the same after a fetch that failed.
	retryEvery = 30 * time.Second
	// fetchGap is the least time from one fetch to the next that unknown keys
	// cause, whoever names them and however many.
	fetchGap = 5 * time.Second
)

// KeySetOptions are what a KeySet is made of.
type KeySetOptions struct {
	// URL is where the keys are. Who makes the KeySet has seen that it is
	// https, or on this machine.
	URL string
	// Logger is told when keys change, and when fetches begin to fail and
	// succeed again.
	Logger *slog.Logger
	// Transport carries the requests; nil is one of its own.
	Transport http.RoundTripper
}

// KeySet has the public keys of an identity server (RFC 7517). It fetches them
// every few minutes, and when a token names a key that is not among them, which
// is how new keys come in. There is one fetch at a time, and a while between
// two. Keys that were fetched stay good while the identity server is out of
// reach.
type KeySet struct {
	options KeySetOptions
	client  *http.Client
	life    context.Context //nolint:containedctx // a fetch outlives the request that caused it
	end     context.CancelFunc
	fetches sync.WaitGroup

	mu       sync.Mutex
	keys     []Key
	fetched  uint64        // how often keys came
	triedAt  time.Time     // the last fetch's end
	failing  bool          // the last fetch failed
	fetching chan struct{} // closed when the fetch that is under way ends; nil: there is none
}

// NewKeySet makes a KeySet. It is ended by Close.
func NewKeySet(o KeySetOptions) *KeySet {
	life, end := context.WithCancel(context.Background())

	return &KeySet{options: o, client: newKeyClient(o.Transport), life: life, end: end}
}

// Close ends the fetching. Tokens are then judged by the keys that are here.
func (k *KeySet) Close() {
	k.mu.Lock()
	k.end() // No fetch begins from now on.
	k.mu.Unlock()
	k.fetches.Wait()
	k.client.CloseIdleConnections()
}

// Start fetches the keys now and every few minutes, in the background, until
// Close. Without it they are fetched only when tokens ask for them.
func (k *KeySet) Start() {
	k.fetches.Go(func() {
		for k.life.Err() == nil {
			select {
			case <-time.After(k.refresh()):
			case <-k.life.Done():
			}
		}
	})
}

// refresh fetches the keys, if none were a moment ago, and tells how long to
// wait until the next time.
func (k *KeySet) refresh() time.Duration {
	k.mu.Lock()
	fetched := k.fetch()
	k.mu.Unlock()

	if fetched != nil {
		<-fetched
	}

	k.mu.Lock()
	defer k.mu.Unlock()

	if k.failing {
		return retryEvery
	}

	return refreshEvery
}

// Fetch fetches the keys now and returns them.
func (k *KeySet) Fetch(ctx context.Context) ([]Key, error) {
	return fetchKeys(ctx, k.client, k.options.URL)
}

// key returns the public key of a kid if it is one for the algorithm.
//
// Returns an *InvalidTokenError if there is none, ErrKeysUnavailable if that
// cannot be known.
func (k *KeySet) key(ctx context.Context, kid, algorithm string) (crypto.PublicKey, error) {
	key, known, fetched := k.look(kid, algorithm)
	if !known && fetched != nil {
		select {
		case <-fetched:
		case <-ctx.Done():
			return nil, ctx.Err()
		}

		key, known, _ = k.look(kid, algorithm)
	}

	switch {
	case key != nil:
		return key, nil
	case known:
		return nil, invalid("the token's algorithm (alg) is not the one of its key")
	case !k.hasKeys():
		return nil, ErrKeysUnavailable
	default:
		return nil, invalid("the token's key (kid) is not among the identity server's")
	}
}

// look finds a key among those that are here; known says that the kid is, be
// it with another algorithm. If it is not, fetched is closed when a fetch has
// ended, or is nil when none may begin now.
func (k *KeySet) look(kid, algorithm string) (key crypto.PublicKey, known bool, fetched <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()

	for _, candidate := range k.keys {
		if candidate.ID != kid {
			continue
		}

		known = true

		if candidate.Algorithm == algorithm {
			key = candidate.public
		}
	}

	if !known {
		fetched = k.fetch()
	}

	return key, known, fetched
}

func (k *KeySet) hasKeys() bool {
	k.mu.Lock()
	defer k.mu.Unlock()

	return len(k.keys) > 0
}

// fetch begins a fetch, unless one is under way or was a moment ago, and
// returns what is closed at its end. The caller holds the lock.
func (k *KeySet) fetch() <-chan struct{} {
	if k.fetching != nil {
		return k.fetching
	}

	if k.life.Err() != nil || !k.triedAt.IsZero() && time.Since(k.triedAt) < fetchGap {
		return nil
	}

	done := make(chan struct{})
	k.fetching = done

	k.fetches.Go(func() {
		keys, err := fetchKeys(k.life, k.client, k.options.URL)
		k.take(keys, err)
		close(done)
	})

	return done
}

// take notes what came of a fetch.
func (k *KeySet) take(keys []Key, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()

	k.fetching, k.triedAt = nil, time.Now()

	switch {
	case k.life.Err() != nil: // the server stops
	case err != nil && !k.failing && len(k.keys) == 0:
		k.options.Logger.Warn("the identity server's keys (JWKS_URL) cannot be fetched; its tokens cannot be checked until they are",
			"error", err)
	case err != nil && !k.failing:
		k.options.Logger.Warn("the identity server's keys (JWKS_URL) cannot be fetched; those from before stay good",
			"error", err, "keys", Describe(k.keys))
	case err == nil && (k.failing || Describe(keys) != Describe(k.keys)):
		k.options.Logger.Info("the identity server's keys (JWKS_URL) were fetched", "keys", Describe(keys))
	}

	k.failing = err != nil
	if err == nil {
		k.keys = keys
		k.fetched++
	}
}

// generation changes when keys come, be they the same: what was judged by those
// before is judged anew. Without a KeySet it never does.
func (k *KeySet) generation() uint64 {
	if k == nil {
		return 0
	}

	k.mu.Lock()
	defer k.mu.Unlock()

	return k.fetched
}

// Describe lists keys for people: each kid with its algorithm.
func Describe(keys []Key) string {
	words := make([]string, 0, len(keys))
	for _, key := range keys {
		words = append(words, fmt.Sprintf("%q (%s)", key.ID, key.Algorithm))
	}

	slices.Sort(words)

	return strings.Join(words, ", ")
}
