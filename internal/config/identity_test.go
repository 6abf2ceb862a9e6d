package config_test

import (
	"slices"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

func TestRedisURLs(t *testing.T) {
	t.Parallel()

	for _, value := range []string{
		"redis://localhost", "redis://127.0.0.1:6379", "redis://:p%40ss@redis:6379/0", "rediss://user:pass@[::1]:6380/15/",
		"REDIS://redis.internal",
	} {
		if got := load(t, with("REDIS_URL", value)).RedisURL; got.Reveal() != value {
			t.Errorf("%s: got another URL", value)
		}
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()

	for _, value := range []string{"https://id.example.com", "http://127.0.0.1:5556/keys", "http://[::1]/keys", "http://LOCALHOST:1"} {
		if got := load(t, withIdentity("JWKS_URL", value)).Identity; got.JWKSURL != value || !got.IsSet() {
			t.Errorf("%s: got %+v", value, got)
		}
	}

	// With an identity server, the secret is optional.
	if s := load(t, withIdentity("JWT_SECRET", "")); s.JWTSecrets != nil {
		t.Errorf("got the secrets %v", s.JWTSecrets)
	}

	if s := load(t, withIdentity()); len(s.JWTSecrets) != 1 {
		t.Errorf("got the secrets %v", s.JWTSecrets)
	}
}

func TestIncompleteIdentity(t *testing.T) {
	t.Parallel()

	for _, name := range []string{"JWT_ISSUER", "JWT_AUDIENCE"} {
		missing := faultsOf(t, withIdentity(name, " "), config.Options{})
		if got := namesOf(missing); !slices.Equal(got, []string{name}) {
			t.Errorf("without %s: %v", name, missing)
		}

		alone := faultsOf(t, with(name, "x"), config.Options{})
		if got := namesOf(alone); !slices.Equal(got, []string{name}) {
			t.Errorf("%s alone: %v", name, alone)
		}
	}

	// With an invalid JWKS_URL, JWT_SECRET is not required.
	bad := faultsOf(t, withIdentity("JWKS_URL", "x", "JWT_SECRET", ""), config.Options{})
	if got := namesOf(bad); !slices.Equal(got, []string{"JWKS_URL"}) {
		t.Errorf("got %v", bad)
	}
}

func TestSeveralSecrets(t *testing.T) {
	t.Parallel()

	got := load(t, with("JWT_SECRET", otherSecret+","+goodSecret)).JWTSecrets
	if len(got) != 2 || got[0].Reveal() != otherSecret || got[1].Reveal() != goodSecret {
		t.Errorf("got %d secrets", len(got))
	}

	// Each of them is hidden in the faults of other settings.
	for _, secret := range []string{goodSecret, otherSecret} {
		faults := faultsOf(t, with("JWT_SECRET", otherSecret+","+goodSecret, "LOG_LEVEL", "x"+secret+"x"), config.Options{})
		if got := namesOf(faults); !slices.Equal(got, []string{"LOG_LEVEL"}) {
			t.Errorf("got %v", got)
		}
	}
}
