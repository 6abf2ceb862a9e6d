package observe_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// newTLSCollector starts a collector that requires a client certificate and
// returns the variables for a server that sends to it.
func newTLSCollector(t *testing.T) (*collector, map[string]string) {
	t.Helper()
	folder := t.TempDir()
	file := func(name, kind string, content []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	client, key := newCertificate(t)
	c := &collector{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.take(t, w, r) }))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	server.TLS.ClientCAs.AddCert(client)
	server.StartTLS()
	t.Cleanup(server.Close)
	return c, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT":           server.URL,
		"OTEL_EXPORTER_OTLP_CERTIFICATE":        file("ca.pem", "CERTIFICATE", server.Certificate().Raw),
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": file("client.pem", "CERTIFICATE", client.Raw),
		"OTEL_EXPORTER_OTLP_CLIENT_KEY":         file("client-key.pem", "PRIVATE KEY", key),
	}
}

// newCertificate returns a client certificate and its private key.
func newCertificate(t *testing.T) (certificate *x509.Certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	if certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	if key, err = x509.MarshalPKCS8PrivateKey(private); err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// TestCollectorsCertificates checks that a collector with a private authority
// that requires a client certificate gets the spans only if both are
// configured, and that the variable for traces overrides the general one.
func TestCollectorsCertificates(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change map[string]string
		sent   bool
	}{
		"all": {nil, true},
		"no certificate is shown": {map[string]string{
			"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": harness.Unset, "OTEL_EXPORTER_OTLP_CLIENT_KEY": harness.Unset,
		}, false},
		"the authority is not known": {map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": harness.Unset}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, env := newTLSCollector(t)
			maps.Copy(env, test.change)
			server := traced(t, harness.SQLite, c, env)
			server.User(t).CreateSession()
			stop(t, server)
			if sent := len(c.all()) > 0; sent != test.sent {
				t.Errorf("spans came: %v, want %v\n%s", sent, test.sent, server.Log())
			}
			result := harness.ExecuteIn(t, t.TempDir(), withSettings(t, env), "verify-env")
			word := map[bool]string{true: `ok +the collector accepts them`, false: `FAILED +OTEL_EXPORTER_OTLP_ENDPOINT: .*`}[test.sent]
			if !regexp.MustCompile(`(?m)^traces +` + word + `$`).MatchString(result.Stdout) {
				t.Errorf("verify-env says\n%s", result.Output())
			}
		})
	}
	t.Run("the variable for traces wins", func(t *testing.T) {
		t.Parallel()
		_, env := newTLSCollector(t)
		env["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE"] = env["OTEL_EXPORTER_OTLP_CLIENT_KEY"]
		result := harness.Execute(t, withSettings(t, env), "serve")
		if result.ExitCode != 1 || !strings.Contains(result.Stderr, "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: names a file without a certificate") {
			t.Errorf("exit code %d:\n%s", result.ExitCode, result.Output())
		}
	})
}

// withSettings returns complete settings with these overrides.
func withSettings(t *testing.T, env map[string]string) map[string]string {
	t.Helper()
	all := harness.Settings(harness.NewDatabase(t, harness.SQLite), "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe", harness.NewUpstream(t))
	all["PORT"] = "0"
	maps.Copy(all, env)
	return all
}

const withoutEffect = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, OTEL_METRICS_EXPORTER, OTEL_SPAN_EVENT_COUNT_LIMIT"

// TestVariablesWithoutEffectAreReported checks that variables without effect, those of .env
// included, are named in the log and by verify-env, except those that request
// the default. The library must not act on them either.
func TestVariablesWithoutEffectAreReported(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	env := map[string]string{
		"OTEL_METRICS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:1/hunter2", "OTEL_SPAN_EVENT_COUNT_LIMIT": "0",
		"OTEL_LOGS_EXPORTER": "none", "OTEL_SERVICE_NAME": "chat", "OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1",
	}
	server := traced(t, harness.SQLite, c, env)
	user := server.User(t)
	user.Say(user.CreateSession(), "Hello")
	stop(t, server)
	if !strings.Contains(server.Log(), `"names":"`+withoutEffect+`"`) || strings.Contains(server.Log(), "hunter2") {
		t.Errorf("the log does not name %s:\n%s", withoutEffect, server.Log())
	}
	if batches, spans := len(c.texts), len(c.all()); batches != spans {
		t.Errorf("%d spans came in %d batches, though OTEL_BSP_MAX_EXPORT_BATCH_SIZE is 1", spans, batches)
	}
	if run := one(t, c.all(), "run", ""); len(run.GetEvents()) == 0 {
		t.Error("OTEL_SPAN_EVENT_COUNT_LIMIT, which is reported to have no effect, removed the run's events")
	}

	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, ".env"), []byte("OTEL_PROPAGATORS=b3\nOTEL_LOG_LEVEL=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	result := harness.ExecuteIn(t, folder, withSettings(t, env), "verify-env")
	want := "off; set, but not supported: OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, OTEL_METRICS_EXPORTER, OTEL_PROPAGATORS, OTEL_SPAN_EVENT_COUNT_LIMIT\n"
	if !strings.Contains(result.Stdout, want) {
		t.Errorf("verify-env does not print %q:\n%s", want, result.Output())
	}
}

// TestVariablesWithEffectAreNotReported checks that nothing is reported if every variable has an
// effect or traces are off.
func TestVariablesWithEffectAreNotReported(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]map[string]string{
		"all acted on": {"OTEL_SERVICE_NAME": "chat", "OTEL_METRICS_EXPORTER": "none"},
		"turned off":   {"OTEL_SDK_DISABLED": "true", "OTEL_METRICS_EXPORTER": "otlp"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := traced(t, harness.SQLite, newCollector(t), env)
			stop(t, server)
			if strings.Contains(server.Log(), "OTEL_") || strings.Contains(server.Log(), "OpenTelemetry") {
				t.Errorf("the log says\n%s", server.Log())
			}
		})
	}
}
