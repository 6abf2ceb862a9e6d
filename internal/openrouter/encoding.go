package openrouter

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// zstdMemory bounds the memory of a zstd decoder. It is the window size that RFC 8878
// recommends as the minimum for every decoder.
const zstdMemory = 8 << 20

// decodedBody decompresses a body. Requests ask for no compression, but some servers
// and proxies compress anyway. It returns flushed data as soon as that arrives.
type decodedBody struct {
	body   *observedBody
	open   func(io.Reader) (io.Reader, error)
	reader io.Reader
}

// decodeBody returns the decompressed body, or an UpstreamError if the encoding is
// not supported.
func decodeBody(body io.ReadCloser, encoding string) (io.ReadCloser, *chat.UpstreamError) {
	var open func(io.Reader) (io.Reader, error)
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		open = func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case "deflate":
		open = openDeflate
	case "zstd":
		open = openZstd
	default:
		return nil, broken(errEncoding)
	}
	return &decodedBody{body: &observedBody{ReadCloser: body}, open: open}, nil
}

// Read implements io.Reader. It returns the body's error rather than the decoder's.
func (d *decodedBody) Read(p []byte) (n int, err error) {
	if d.reader == nil {
		d.reader, err = d.open(d.body)
	}
	if err == nil {
		n, err = d.reader.Read(p)
	}
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return n, err
	case d.body.err != nil && !errors.Is(d.body.err, io.EOF):
		return n, d.body.err
	case errors.Is(d.body.err, io.EOF) && !d.body.hasBytes:
		return n, io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, err
	}
	return n, broken(errDecoding)
}

// Close closes the body. It may be called during a Read. The decoders have no
// resources to release.
func (d *decodedBody) Close() error { return d.body.Close() }

// observedBody records whether the body had data and the error that ended it.
type observedBody struct {
	io.ReadCloser

	hasBytes bool
	err      error
}

func (b *observedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.hasBytes = b.hasBytes || n > 0
	if err != nil {
		b.err = err
	}
	return n, err
}

// openDeflate decodes the zlib format, or raw deflate data, which some servers send.
func openDeflate(body io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(body, bufferSize)
	head, err := buffered.Peek(2)
	if err != nil {
		return nil, err
	}
	if head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(buffered)
	}
	return flate.NewReader(buffered), nil
}

// openZstd returns a decoder that starts no goroutine.
func openZstd(body io.Reader) (io.Reader, error) {
	return zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(zstdMemory), zstd.WithDecoderMaxWindow(zstdMemory))
}

// isUpstreamError reports whether an error is a *chat.UpstreamError.
func isUpstreamError(err error) bool {
	_, ok := errors.AsType[*chat.UpstreamError](err)
	return ok
}
