package ratelimit_test

import (
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
	"github.com/chatkit-rest/chatkit-rest/tests/redis"
)

func TestCheckRedis(t *testing.T) {
	t.Parallel()

	const password = "hunter2-of-redis"

	open := redis.Start(t, redis.Options{})
	closed := redis.Start(t, redis.Options{Password: password})
	gone := redis.Start(t, redis.Options{})
	gone.Kill()
	command(t, closed, "ACL", "SETUSER", "reader", "on", ">"+password, "~*", "+get", "+evalsha", "+eval")

	at := func(user string) string { return strings.Replace(closed.URL, "://:", "://"+user+":", 1) }
	tests := map[string]struct{ url, word string }{
		"good":           {open.URL, ""},
		"good password":  {closed.URL, ""},
		"user and db":    {at("default") + "/3", ""},
		"no password":    {strings.Replace(closed.URL, ":"+password+"@", "", 1), "password"},
		"wrong password": {strings.Replace(closed.URL, password, password+"x", 1), "password"},
		"may not write":  {at("reader"), "can't run this command"},
		"no such db":     {open.URL + "/99", "out of range"},
		"gone":           {gone.URL, "refused"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			err := ratelimit.CheckRedis(t.Context(), tt.url)
			if tt.word == "" {
				if err != nil {
					t.Fatalf("got %v", err)
				}

				return
			}

			if err == nil || !strings.Contains(err.Error(), tt.word) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want a word of %q", err, tt.word)
			}
		})
	}
}
