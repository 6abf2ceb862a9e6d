package identity_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/chatkit-rest/chatkit-rest/tests/child"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

const (
	patience     = 60 * time.Second
	pollInterval = 50 * time.Millisecond
)

// provider is the identity server.
type provider struct {
	// Issuer is its URL.
	Issuer string

	tb     testing.TB
	port   int
	cmd    *exec.Cmd
	output *bytes.Buffer
	exited chan struct{}
}

// newProvider starts an identity server with these private keys.
func newProvider(tb testing.TB, keys ...jose.JSONWebKey) *provider {
	tb.Helper()
	p := &provider{tb: tb, port: harness.FreePort(tb)}
	p.Issuer = "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port))
	tb.Cleanup(p.stop)
	p.start(keys...)
	return p
}

// start starts the identity server on its port with these keys.
func (p *provider) start(keys ...jose.JSONWebKey) {
	p.tb.Helper()
	p.stop()
	input, err := json.Marshal(map[string]any{"port": p.port, "jwks": jose.JSONWebKeySet{Keys: keys}})
	if err != nil {
		p.tb.Fatal(err)
	}
	p.output = new(bytes.Buffer)
	p.cmd = exec.Command("node", "provider/server.mjs")
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = bytes.NewReader(input), p.output, p.output
	p.cmd.SysProcAttr = child.Attributes()
	if err := p.cmd.Start(); err != nil {
		p.tb.Fatalf("start the identity server (it needs Node.js): %v", err)
	}
	cmd, exited := p.cmd, make(chan struct{})
	p.exited = exited
	go func() {
		_ = cmd.Wait() // Only the exit matters.
		close(exited)
	}()
	p.awaitStart()
}

func (p *provider) awaitStart() {
	p.tb.Helper()
	deadline := time.Now().Add(patience)
	for !p.answers() {
		select {
		case <-p.exited:
			p.tb.Fatalf("the identity server ended (npm ci in tests/identity/provider installs it):\n%s", p.output)
		case <-time.After(pollInterval):
		}
		if time.Now().After(deadline) {
			p.tb.Fatalf("the identity server did not answer for %s", patience)
		}
	}
}

func (p *provider) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Issuer+"/.well-known/openid-configuration", http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	var document struct {
		JWKSURI string `json:"jwks_uri"`
	}
	text, err := io.ReadAll(response.Body)
	return err == nil && json.Unmarshal(text, &document) == nil && document.JWKSURI == p.keysURL()
}

// keysURL is the identity server's jwks_uri.
func (p *provider) keysURL() string { return p.Issuer + "/jwks" }

// stop ends the identity server if it is running.
func (p *provider) stop() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // It may have exited.
	<-p.exited
	p.cmd = nil
}

// newKey makes a private key for an algorithm.
func newKey(tb testing.TB, kid, algorithm string) jose.JSONWebKey {
	tb.Helper()
	var (
		key crypto.PrivateKey
		err error
	)
	switch algorithm {
	case "RS256":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		tb.Fatalf("there is no key for %s", algorithm)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: kid, Algorithm: algorithm, Use: "sig"}
}

func newKeys(tb testing.TB) []jose.JSONWebKey {
	tb.Helper()
	return []jose.JSONWebKey{newKey(tb, "one", "RS256"), newKey(tb, "two", "ES256"), newKey(tb, "three", "EdDSA")}
}
