package main

import (
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// TestOwnAddress: a listener on all addresses is asked on the loopback one.
func TestOwnAddress(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"0.0.0.0": "127.0.0.1:80", "::": "[::1]:80", "10.1.2.3": "10.1.2.3:80", "::1": "[::1]:80", "localhost": "localhost:80",
	} {
		if got := ownAddress(config.Settings{Host: host, Port: 80}); got != want {
			t.Errorf("HOST %s: %s, want %s", host, got, want)
		}
	}
}
