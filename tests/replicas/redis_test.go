package replicas_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
	"github.com/chatkit-rest/chatkit-rest/tests/redis"
)

// hidden is a password that no output may show.
const hidden = "hunter2-of-redis"

func verify(t *testing.T, env map[string]string) harness.Result {
	t.Helper()
	all := harness.Settings(harness.NewDatabase(t, harness.SQLite), rand.Text()+rand.Text(), harness.NewUpstream(t))
	maps.Copy(all, env)
	result := harness.Execute(t, all, "verify-env")
	if strings.Contains(result.Output(), hidden) {
		t.Errorf("the output shows the password:\n%s", result.Output())
	}
	return result
}

// TestVerifyEnvChecksRedis checks that verify-env reports whether Redis answers.
func TestVerifyEnvChecksRedis(t *testing.T) {
	t.Parallel()
	server := redis.Start(t, redis.Options{Password: hidden})
	stopped := redis.Start(t, redis.Options{Password: hidden})
	stopped.Kill()
	frozen := redis.Start(t, redis.Options{Password: hidden})
	frozen.Freeze()
	if result := verify(t, map[string]string{"REDIS_URL": server.URL}); result.ExitCode != 0 || !strings.Contains(result.Stdout, "redis       ok      a test request was counted\n") {
		t.Errorf("a good Redis: exit code %d\n%s", result.ExitCode, result.Output())
	}
	for name, url := range map[string]string{
		"stopped": stopped.URL, "frozen": frozen.URL, "wrong password": strings.Replace(server.URL, hidden, hidden+"x", 1),
		"no password": strings.Replace(server.URL, ":"+hidden+"@", "", 1), "TLS where there is none": strings.Replace(server.URL, "redis:", "rediss:", 1),
	} {
		result := verify(t, map[string]string{"REDIS_URL": url})
		if result.ExitCode != 1 || !strings.Contains(result.Stdout, "redis       FAILED  REDIS_URL: ") {
			t.Errorf("%s: exit code %d\n%s", name, result.ExitCode, result.Output())
		}
	}
}

// TestRedisOverTLS checks that rediss:// needs a certificate that the system
// trusts.
func TestRedisOverTLS(t *testing.T) {
	t.Parallel()
	certificate, key := certify(t)
	server := redis.Start(t, redis.Options{Password: hidden, Certificate: certificate, Key: key})
	env := map[string]string{"REDIS_URL": server.URL, "RATE_LIMIT_PER_MINUTE": harness.Unset, "SSL_CERT_FILE": certificate}
	replica := harness.Start(t, harness.Options{Database: harness.SQLite, Env: env})
	// On a busy machine Redis may miss its time-out; the server tries again.
	for used, deadline := false, time.Now().Add(patience); !used; {
		if time.Now().After(deadline) {
			t.Fatal("Redis is not used")
		}
		awaitShared(t, replica)
		before := strings.Count(replica.Log(), failsLine)
		replica.User(t).CreateSession()
		used = ready(t, replica) == readyShared && strings.Count(replica.Log(), failsLine) == before
	}
	result := verify(t, map[string]string{"REDIS_URL": server.URL})
	if result.ExitCode != 1 || !strings.Contains(result.Stdout, "certificate") {
		t.Errorf("an untrusted certificate: exit code %d\n%s", result.ExitCode, result.Output())
	}
}

// certify makes a self-signed certificate for 127.0.0.1 and its key.
func certify(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("redis.crt", "CERTIFICATE", public), write("redis.key", "PRIVATE KEY", secret)
}
