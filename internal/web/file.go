package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// file serves a constant content, compressed with gzip or not.
type file struct {
	contentType string
	// policy is its Content-Security-Policy.
	policy string
	tag    string
	// plain returns the uncompressed content. It decompresses at the first request
	// of a client without gzip.
	plain func() ([]byte, error)
	// packed is the gzip content; nil for small files.
	packed []byte
}

// newFile returns a file. Data whose name ends in .gz is compressed already; other
// large files are compressed here.
func newFile(contentType, policy, name string, data []byte) *file {
	const worthPacking = 8 << 10
	f := &file{contentType: contentType, policy: policy, tag: tagOf(data)}
	switch {
	case path.Ext(name) == ".gz":
		f.packed = data
		f.plain = sync.OnceValues(func() ([]byte, error) { return unpack(data) })
		return f
	case len(data) > worthPacking:
		f.packed = pack(data)
	}
	f.plain = func() ([]byte, error) { return data, nil }
	return f
}

func pack(data []byte) []byte {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = writer.Write(data) // Writing to a buffer does not fail.
	_ = writer.Close()
	return packed.Bytes()
}

func tagOf(data []byte) string {
	const bytesOfHash = 12
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:bytesOfHash])
}

func unpack(packed []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack embedded file: %w", err)
	}
	data, err := io.ReadAll(reader)
	if err != nil {
		return nil, fmt.Errorf("unpack embedded file: %w", err)
	}
	return data, nil
}

func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	secure(header, f.policy)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	// The URL of a file does not change with its content, so browsers must
	// revalidate it. The answer is 304 until the next release.
	header.Set("Cache-Control", "no-cache")
	data, tag := f.packed, `"`+f.tag+`-gzip"`
	if f.packed != nil {
		header.Add("Vary", "Accept-Encoding") // The server may have set others.
	}
	packed := f.packed != nil && acceptsGzip(r.Header.Values("Accept-Encoding"))
	if !packed {
		var err error
		if data, err = f.plain(); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		tag = `"` + f.tag + `"`
	}
	header.Set("ETag", tag)
	if matches(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if packed {
		header.Set("Content-Encoding", "gzip")
	}
	header.Set("Content-Type", f.contentType)
	header.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(data) // It fails if the client disconnected.
	}
}

// acceptsGzip reports whether Accept-Encoding permits gzip (RFC 9110, section 12.5.3).
func acceptsGzip(values []string) bool {
	accepted := false
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		coding, parameter, _ := strings.Cut(part, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding != "gzip" && coding != "x-gzip" && coding != "*" {
			continue
		}
		name, weight, _ := strings.Cut(parameter, "=")
		q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
		refused := strings.EqualFold(strings.TrimSpace(name), "q") && err == nil && q == 0
		if coding != "*" {
			return !refused // A named coding has precedence over the asterisk.
		}
		accepted = !refused
	}
	return accepted
}

// matches reports whether If-None-Match has the tag, by weak comparison (RFC 9110,
// section 13.1.2).
func matches(values []string, tag string) bool {
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}
