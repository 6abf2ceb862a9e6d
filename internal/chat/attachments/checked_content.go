package attachments

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// sniffBytes is the number of bytes from which a content's type is recognised.
const sniffBytes = 512

// checkedContent is a reader that compares a content with its announced size and
// type. It returns the last bytes only after the whole content is checked, so
// that a store that waits for the announced size never stores a bad content.
type checkedContent struct {
	announced chat.Attachment
	from      io.Reader
	read      int64
	hash      hash.Hash
	head      []byte
	// partial are the bytes of an incomplete character at the end of the last read.
	partial []byte
	// problem is why the content is refused, or nil.
	problem error
}

func newCheckedContent(announced chat.Attachment, from io.Reader) *checkedContent {
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
	c.check(p[:n])
	if c.problem == nil && c.read == c.announced.Size {
		c.checkEnd()
	}
	switch {
	case c.problem != nil:
		return 0, c.problem
	case err != nil && c.read < c.announced.Size:
		c.problem = chat.Errorf(chat.CodeInvalidRequest, "The content ended after %d bytes; %d were announced.", c.read, c.announced.Size)
		return 0, c.problem
	}
	return n, nil
}

// check checks the next bytes.
func (c *checkedContent) check(p []byte) {
	c.read += int64(len(p))
	_, _ = c.hash.Write(p) // Writing to a hash does not fail.
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

// checkEnd checks a content that was read completely.
func (c *checkedContent) checkEnd() {
	if len(c.head) < sniffBytes {
		c.checkHead()
	}
	if c.problem != nil {
		return
	}
	if len(c.partial) > 0 {
		c.problem = notText()
		return
	}
	var more [1]byte
	if _, err := io.ReadFull(c.from, more[:]); !errors.Is(err, io.EOF) {
		c.problem = chat.Errorf(chat.CodeRequestTooLarge, "The content has more than the %d bytes that were announced.", c.announced.Size)
	}
}

// checkHead checks that an image has the announced type, as browsers recognise it.
func (c *checkedContent) checkHead() {
	if c.announced.IsImage() && http.DetectContentType(c.head) != c.announced.MimeType {
		c.problem = chat.Errorf(chat.CodeUnsupportedMediaType, "The content is not %s, the announced type.", c.announced.MimeType)
	}
}

// checkText checks that a text is UTF-8 without NUL, which the model needs.
func (c *checkedContent) checkText(p []byte) {
	if slices.Contains(p, 0) {
		c.problem = notText()
		return
	}
	text := append(c.partial, p...) //nolint:gocritic // partial is not used again
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
	c.partial = append([]byte(nil), text[whole:]...)
}

func notText() error {
	return chat.Errorf(chat.CodeUnsupportedMediaType, "The content is not UTF-8 text; convert it to UTF-8, or announce its true type.")
}

func (c *checkedContent) digest() string { return hex.EncodeToString(c.hash.Sum(nil)) }
