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

// file answers with the same bytes each time, packed or not.
type file struct {
	contentType string
	// policy is its Content-Security-Policy.
	policy string
	tag    string
	// plain unpacks a packed file when the first client asks that cannot
	// unpack it itself.
	plain func() ([]byte, error)
	// packed is nil for a file that is not worth it.
	packed []byte
}

// newFile is a file that comes packed if its name ends in .gz. A script that is
// worth it is packed here.
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
	_, _ = writer.Write(data) // a buffer takes everything
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
	// The address of a file does not change with its content, so a browser
	// must ask each time; the answer is a 304 until the next release.
	header.Set("Cache-Control", "no-cache")
	data, tag := f.packed, `"`+f.tag+`-gzip"`
	if f.packed != nil {
		header.Add("Vary", "Accept-Encoding") // beside what the server has set
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
		_, _ = w.Write(data) // it fails when the client has gone: nobody to tell
	}
}

// acceptsGzip reads Accept-Encoding (RFC 9110, section 12.5.3).
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
			return !refused // its own word counts more than the asterisk's
		}
		accepted = !refused
	}
	return accepted
}

// matches reads If-None-Match with the weak comparison it asks for (RFC 9110,
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
