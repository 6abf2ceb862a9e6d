package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"strings"
)

// maxPEMBytes bounds a PEM file. It is more than the authorities of any system.
const maxPEMBytes = 4 << 20

// collectorAuthorities reads the authorities that may have signed the collector's
// certificate. It returns nil if none are set.
func (l *loader) collectorAuthorities(endpoint string) *x509.CertPool {
	name := l.forTraces("OTEL_EXPORTER_OTLP_CERTIFICATE")

	content, ok := l.pem(name, endpoint)
	if !ok {
		return nil
	}

	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		l.fault(name, "names a file without a certificate in PEM", "name the file of the collector's authority (-----BEGIN CERTIFICATE-----)")

		return nil
	}

	return pool
}

// collectorClient reads the client certificate for the collector, and its key.
// Both must be set, or neither.
func (l *loader) collectorClient(endpoint string) *tls.Certificate {
	certificate := l.forTraces("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE")
	key := l.forTraces("OTEL_EXPORTER_OTLP_CLIENT_KEY")

	if l.isSet(certificate) != l.isSet(key) {
		set, other := certificate, key
		if l.isSet(key) {
			set, other = key, certificate
		}

		l.fault(set, "is set without "+other, "set both, or neither")

		return nil
	}

	public, ok := l.pem(certificate, endpoint)
	if !ok {
		return nil
	}

	private, ok := l.pem(key, endpoint)
	if !ok {
		return nil
	}

	pair, err := tls.X509KeyPair(public, private)
	if err != nil { // The error is not shown: it may contain a part of the files.
		l.fault(certificate, "and "+key+" do not name a certificate and its private key in PEM", "name the two files that belong together")

		return nil
	}

	return &pair
}

// pem reads the file that a variable names. It returns false if the variable is
// not set or the file cannot be used.
func (l *loader) pem(name, endpoint string) ([]byte, bool) {
	path := l.value(name)

	switch {
	case path == "":
		return nil, false
	case strings.HasPrefix(endpoint, "http://"):
		l.fault(name, "is set, but traces are sent over http, where certificates have no effect",
			"write https:// in OTEL_EXPORTER_OTLP_ENDPOINT, or unset it")

		return nil, false
	}

	content, err := readRegular(path)
	if err != nil {
		l.fault(name, "names a file that cannot be read", "name a regular file that this program may read")
	}

	return content, err == nil
}

var errNotRegular = errors.New("not a plain file of that size")

// readRegular reads a regular file. It rejects devices, which may never end.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}

	if !info.Mode().IsRegular() || info.Size() > maxPEMBytes {
		return nil, errNotRegular
	}

	file, err := os.Open(path) //nolint:gosec // the operator's own path
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // nothing was written

	return io.ReadAll(io.LimitReader(file, maxPEMBytes))
}
