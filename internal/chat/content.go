package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"slices"
	"unicode/utf8"
)

// sniffBytes is how much of a content tells its type.
const sniffBytes = 512

// checkedContent reads a content and holds it against what was announced of
// it. It keeps back the last bytes until all is well, so that a store which
// waits for as many bytes as were announced never has a bad content whole.
type checkedContent struct {
	announced Attachment
	from      io.Reader
	read      int64
	hash      hash.Hash
	head      []byte
	// begun are the first bytes of a character that the last read cut.
	begun []byte
	// problem is why the content is refused; nil where it is not, also where
	// it was not read to its end for another reason.
	problem error
}

func newCheckedContent(announced Attachment, from io.Reader) *checkedContent {
	return &checkedContent{announced: announced, from: from, hash: sha256.New()}
}

// Read implements [io.Reader].
func (c *checkedContent) Read(p []byte) (int, error) {
	if c.problem != nil {
		return 0, c.problem
	}
	left := c.announced.Size - c.read
	if left == 0 {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := c.from.Read(p[:min(int64(len(p)), left)])
	c.take(p[:n])
	if c.problem == nil && c.read == c.announced.Size {
		c.end()
	}
	switch {
	case c.problem != nil:
		return 0, c.problem
	case err != nil && c.read < c.announced.Size:
		c.problem = Errorf(CodeInvalidRequest, "The content ended after %d bytes; %d were announced.", c.read, c.announced.Size)
		return 0, c.problem
	}
	return n, nil
}

func (c *checkedContent) take(p []byte) {
	c.read += int64(len(p))
	_, _ = c.hash.Write(p) // a hash takes all
	if len(c.head) < sniffBytes {
		c.head = append(c.head, p[:min(len(p), sniffBytes-len(c.head))]...)
		if len(c.head) == sniffBytes {
			c.checkHead()
		}
	}
	if c.announced.IsText() && c.problem == nil {
		c.checkText(p)
	}
}

// end looks at a content that is read whole.
func (c *checkedContent) end() {
	if len(c.head) < sniffBytes {
		c.checkHead()
	}
	if c.problem != nil {
		return
	}
	if len(c.begun) > 0 {
		c.problem = notText()
		return
	}
	var more [1]byte
	if _, err := io.ReadFull(c.from, more[:]); !errors.Is(err, io.EOF) {
		c.problem = Errorf(CodeRequestTooLarge, "The content has more than the %d bytes that were announced.", c.announced.Size)
	}
}

// checkHead sees that an image is one: what a browser would make of it is what
// it was announced as.
func (c *checkedContent) checkHead() {
	if c.announced.IsImage() && http.DetectContentType(c.head) != c.announced.MimeType {
		c.problem = Errorf(CodeUnsupportedMediaType, "The content is not %s, as was announced.", c.announced.MimeType)
	}
}

// checkText sees that a text is UTF-8 without NUL, as the model is sent it.
func (c *checkedContent) checkText(p []byte) {
	if slices.Contains(p, 0) {
		c.problem = notText()
		return
	}
	text := append(c.begun, p...) //nolint:gocritic // begun is not used again
	whole := len(text)
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if utf8.RuneStart(text[len(text)-back]) {
			if !utf8.FullRune(text[len(text)-back:]) {
				whole = len(text) - back
			}
			break
		}
	}
	if !utf8.Valid(text[:whole]) {
		c.problem = notText()
	}
	c.begun = append([]byte(nil), text[whole:]...)
}

func notText() error {
	return Errorf(CodeUnsupportedMediaType, "The content is no text in UTF-8; convert it, or announce it as what it is.")
}

func (c *checkedContent) digest() string { return hex.EncodeToString(c.hash.Sum(nil)) }
