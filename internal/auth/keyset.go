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
	// refreshEvery is how often keys are fetched. A key that the identity
	// server has withdrawn stays good for that long.
	refreshEvery = 5 * time.Minute
	// retryEvery is the same after a fetch that failed.
	retryEvery = 30 * time.Second
	// fetchGap is the least time between two fetches, however many tokens name
	// unknown keys.
	fetchGap = 5 * time.Second
)

// KeySetOptions are the options of NewKeySet.
type KeySetOptions struct {
	// URL is the address of the JWK Set. The caller has checked that it is
	// https or on this machine.
	URL string
	// Logger gets a line when the keys change, when fetches begin to fail and
	// when they succeed again.
	Logger *slog.Logger
	// Transport carries the requests; nil is a transport of the KeySet's own.
	Transport http.RoundTripper
}

// KeySet holds the public keys of an identity server (RFC 7517). It fetches
// them every few minutes, and when a token names a key that it does not have,
// so that a new key works at once. There is one fetch at a time, and fetchGap
// between two. Fetched keys stay good while the identity server is unreachable.
type KeySet struct {
	options KeySetOptions
	client  *http.Client
	life    context.Context //nolint:containedctx // a fetch outlives the request that caused it
	end     context.CancelFunc
	fetches sync.WaitGroup

	mu       sync.Mutex
	keys     []Key
	fetched  uint64        // the number of successful fetches
	triedAt  time.Time     // the end of the last fetch
	failing  bool          // the last fetch failed
	fetching chan struct{} // closed when the running fetch ends; nil when none runs
}

// NewKeySet returns a KeySet, which Close ends.
func NewKeySet(o KeySetOptions) *KeySet {
	life, end := context.WithCancel(context.Background())

	return &KeySet{options: o, client: newKeyClient(o.Transport), life: life, end: end}
}

// Close ends the fetching. The keys that were fetched remain.
func (k *KeySet) Close() {
	k.mu.Lock()
	k.end() // No fetch begins from now on.
	k.mu.Unlock()
	k.fetches.Wait()
	k.client.CloseIdleConnections()
}

// Start fetches the keys now and every few minutes, in the background, until
// Close. Without Start they are fetched only when tokens need them.
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

// refresh fetches the keys, unless they were fetched within fetchGap, and
// returns how long to wait until the next fetch.
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

// key returns the public key with the kid, if it verifies the algorithm. An
// unknown kid causes a fetch.
//
// It returns an *InvalidTokenError when there is no such key, and
// ErrKeysUnavailable when no keys could be fetched.
func (k *KeySet) key(ctx context.Context, kid, algorithm string) (crypto.PublicKey, error) {
	key, fetched := k.find(kid, algorithm)
	if key == nil && fetched != nil {
		select {
		case <-fetched:
		case <-ctx.Done():
			return nil, ctx.Err()
		}

		key, _ = k.find(kid, algorithm)
	}

	switch {
	case key == nil && !k.hasKeys():
		return nil, ErrKeysUnavailable
	case key == nil && kid == "":
		return nil, invalid("the token does not name its key (kid)")
	case key == nil:
		return nil, invalid("the token's key (kid) is not among the identity server's")
	case key.Algorithm != algorithm:
		return nil, invalid("the token's algorithm (alg) is not the one of its key")
	default:
		return key.public, nil
	}
}

// find returns the key with the kid; of several, the one for the algorithm. A
// set of one key needs no names: the key
// is found when the token or the set leaves the kid out. Without a key, fetched
// is closed at the end of a fetch that may bring it, or nil when none may begin.
func (k *KeySet) find(kid, algorithm string) (key *Key, fetched <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()

	if len(k.keys) == 1 && (kid == "" || k.keys[0].ID == "") {
		return &k.keys[0], nil
	}

	for n := range k.keys {
		if k.keys[n].ID == kid && (key == nil || k.keys[n].Algorithm == algorithm) {
			key = &k.keys[n]
		}
	}

	// A token without a kid is worth a fetch only for the first keys.
	if key != nil || kid == "" && len(k.keys) > 0 {
		return key, nil
	}

	return nil, k.fetch()
}

func (k *KeySet) hasKeys() bool {
	k.mu.Lock()
	defer k.mu.Unlock()

	return len(k.keys) > 0
}

// fetch begins a fetch, unless one runs or ended within fetchGap, and returns a
// channel that is closed at its end. The caller holds the lock.
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
		k.record(keys, err)
		close(done)
	})

	return done
}

// record stores the result of a fetch and logs a change.
func (k *KeySet) record(keys []Key, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()

	k.fetching, k.triedAt = nil, time.Now()

	switch {
	case k.life.Err() != nil: // the server is stopping
	case err != nil && !k.failing && len(k.keys) == 0:
		k.options.Logger.Warn("the identity server's keys (JWKS_URL) cannot be fetched; its tokens cannot be verified until they are",
			"error", err)
	case err != nil && !k.failing:
		k.options.Logger.Warn("the identity server's keys (JWKS_URL) cannot be fetched; the keys fetched before stay good",
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

// generation is a number that changes with each successful fetch; results of
// older generations are not to be used. A nil KeySet has generation 0.
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
	names := make([]string, 0, len(keys))
	for _, key := range keys {
		name := "no kid"
		if key.ID != "" {
			name = fmt.Sprintf("%q", key.ID)
		}

		names = append(names, name+" ("+key.Algorithm+")")
	}

	slices.Sort(names)

	return strings.Join(names, ", ")
}
