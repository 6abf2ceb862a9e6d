//go:build deploy

package deploy_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

const siteName = "chat.example.com"

// trustTests returns the TLS settings of a client that requests the site and
// accepts the test's certificate.
func trustTests() *tls.Config {
	return &tls.Config{ServerName: siteName, InsecureSkipVerify: true} //nolint:gosec // nginx has the test's certificate
}

// nginx runs deploy/nginx.conf, with other addresses and another certificate,
// in front of the server at the address. It returns nginx's URL.
func nginx(t *testing.T, backend string, change ...string) string {
	t.Helper()
	folder, err := os.MkdirTemp(shared, "nginx-") //nolint:usetesting // its parent is root's alone
	if err == nil {
		err = os.Chmod(folder, 0o755) //nolint:gosec // nginx's workers are another user's
	}
	if err != nil {
		t.Fatal(err)
	}
	certificate(t, folder)
	port := strconv.Itoa(harness.FreePort(t))
	pairs := append([]string{
		"listen 443 ssl;", "listen 127.0.0.1:" + port + " ssl;",
		"server 127.0.0.1:8080;", "server " + backend + ";",
		"/etc/ssl/certs/" + siteName + ".pem", filepath.Join(folder, "cert.pem"),
		"/etc/ssl/private/" + siteName + ".key", filepath.Join(folder, "key.pem"),
	}, change...)
	site := read(t, "deploy/nginx.conf")
	for n := 0; n < len(pairs); n += 2 {
		if !strings.Contains(site, pairs[n]) {
			t.Fatalf("deploy/nginx.conf has no %q", pairs[n])
		}
		site = strings.ReplaceAll(site, pairs[n], pairs[n+1])
	}
	// The parts of Debian's nginx.conf around conf.d that matter here.
	config := fmt.Sprintf("daemon off; worker_processes 1; pid %[1]s/pid; error_log stderr warn;\n"+
		"events { worker_connections 256; }\n"+
		"http { gzip on; access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f;\n"+
		"uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;\ninclude %[1]s/site.conf; }\n", folder)
	for name, content := range map[string]string{"nginx.conf": config, "site.conf": site} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log logBuffer
	cmd := exec.Command("nginx", "-p", folder, "-c", filepath.Join(folder, "nginx.conf"), "-e", "stderr") //nolint:gosec // ours
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start nginx (the package nginx): %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx said:\n%s", log.String())
		}
	})
	base := "https://127.0.0.1:" + port
	probe := newCaller(t, base, "127.0.0.1")
	harness.Eventually(t, patience, "nginx answers", func() bool {
		response, err := probe.http.Get(base + "/health")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return base
}

// certificate makes a self-signed certificate for the site.
func certificate(t *testing.T, folder string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{siteName}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// behindNginx runs the image behind an nginx that it trusts.
func behindNginx(t *testing.T) (base, direct string, upstream *harness.Upstream) {
	t.Helper()
	upstream = harness.NewUpstream(t)
	_, address := theImage(t).serve(t, map[string]string{
		"JWT_SECRET": jwtSecret, "OPENROUTER_API_KEY": upstream.Key, "OPENROUTER_BASE_URL": upstream.URL,
		"TRUSTED_PROXIES": "127.0.0.1", "PUBLIC_URL": "https://" + siteName,
	})
	return nginx(t, address), "http://" + address, upstream
}

// TestNginxStreams checks that each delta reaches the client through TLS and
// nginx before the model sends the next.
func TestNginxStreams(t *testing.T) {
	t.Parallel()
	base, _, upstream := behindNginx(t)
	const pieces = 20
	var script harness.Script
	var gates []chan struct{}
	for n := range pieces {
		gates = append(gates, make(chan struct{}))
		script = append(script, harness.Text(fmt.Sprintf("%d, ", n)), harness.Wait(gates[n]))
	}
	upstream.Answer("Count", append(script, harness.Finish("stop"), harness.Done()))
	client := newCaller(t, base, "127.0.0.2")
	client.header.Set("Accept-Encoding", "gzip") // a browser's header must not make nginx buffer
	run := client.say(client.createSession(), "Count")
	for n := range pieces {
		run.delta(t, fmt.Sprintf("%d, ", n))
		close(gates[n])
	}
	if events := run.rest(t); len(events) == 0 || events[len(events)-1] != "[DONE]" {
		t.Errorf("the stream ended with %v", events)
	}
}

// TestNginxForwardsDisconnect checks that the request to the model ends when a client
// of the ChatKit protocol disconnects from nginx.
func TestNginxForwardsDisconnect(t *testing.T) {
	t.Parallel()
	base, _, upstream := behindNginx(t)
	upstream.Answer("Never mind", harness.Script{harness.Text("Well"), harness.Hang()})
	client := newCaller(t, base, "127.0.0.2")
	response := client.send(http.MethodPost, "/api/v1/chatkit", `{"type":"threads.create","params":{"input":{
		"content":[{"type":"input_text","text":"Never mind"}],"attachments":[],"inference_options":{}}}}`)
	lines := bufio.NewScanner(response.Body)
	for !strings.Contains(lines.Text(), `"delta":"Well"`) {
		if !lines.Scan() {
			t.Fatalf("the stream ended before the delta: %v", lines.Err())
		}
	}
	_ = response.Body.Close()
	select {
	case <-upstream.Await(t, "Never mind").Disconnected():
	case <-time.After(patience):
		t.Error("the request to the model did not end")
	}
}

// TestNginxLimits checks that the rate limit counts by the client's address and
// not by nginx's, and that a forged X-Forwarded-For has no effect.
func TestNginxLimits(t *testing.T) {
	t.Parallel()
	base, direct, _ := behindNginx(t)
	alice, bob := newCaller(t, base, "127.0.0.2"), newCaller(t, base, "127.0.0.3")
	const limit = 30
	for n := range limit {
		if got := alice.status(); got != http.StatusOK {
			t.Fatalf("Alice's request %d: %d", n+1, got)
		}
	}
	if got := alice.status(); got != http.StatusTooManyRequests {
		t.Errorf("Alice's request 31: %d", got)
	}
	for _, forged := range []string{"127.0.0.3", "203.0.113.9", "203.0.113.9, 127.0.0.1", "unknown", "127.0.0.1"} {
		alice.header.Set("X-Forwarded-For", forged)
		alice.header.Set("X-Real-Ip", forged)
		alice.header.Set("Forwarded", "for="+forged)
		if got := alice.status(); got != http.StatusTooManyRequests {
			t.Errorf("Alice with X-Forwarded-For %s: %d", forged, got)
		}
	}
	response := bob.send(http.MethodGet, harness.SessionsPath, "")
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Header.Get("RateLimit-Remaining") != strconv.Itoa(limit-1) {
		t.Errorf("Bob's first request: %d, %s left", response.StatusCode, response.Header.Get("RateLimit-Remaining"))
	}
	// X-Forwarded-For is ignored without nginx: 127.0.0.4 is not a trusted proxy.
	carol := newCaller(t, direct, "127.0.0.4")
	for n := range limit {
		carol.header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", n))
		if got := carol.status(); got != http.StatusOK {
			t.Fatalf("Carol's request %d: %d", n+1, got)
		}
	}
	carol.header.Set("X-Forwarded-For", "203.0.113.200")
	if got := carol.status(); got != http.StatusTooManyRequests {
		t.Errorf("Carol's request 31: %d", got)
	}
}

// TestNginxPassesFailures checks that a body that is too large gets the
// server's failure and not nginx's page.
func TestNginxPassesFailures(t *testing.T) {
	t.Parallel()
	base, _, _ := behindNginx(t)
	client := newCaller(t, base, "127.0.0.2")
	session := client.createSession()
	body := `{"message":"` + strings.Repeat("a", 3<<19) + `"}` // 1.5 MiB
	response := client.send(http.MethodPost, harness.RunsPath(session, session), body)
	defer response.Body.Close()
	var text bytes.Buffer
	_, _ = text.ReadFrom(response.Body)
	if response.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(text.String(), "REQUEST_TOO_LARGE") {
		t.Errorf("%s: %s", response.Status, text.String())
	}
}
