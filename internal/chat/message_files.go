package chat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"
)

const (
	// maxFileBytes bounds the files of all messages in a request to the model: a
	// long thread does not send all of its files each time.
	maxFileBytes = 20 << 20
	// maxImages bounds the images among them, as providers do. All images of the
	// newest message fit.
	maxImages = maxAttachments
	// readBlobTimeout bounds the reading of one content: other runs may wait for
	// the memory that it uses.
	readBlobTimeout = 30 * time.Second
)

// withFiles returns a history with the contents of its attachments. The caller
// calls release when the contents are sent.
func (s *Service) withFiles(ctx context.Context, history []Message) (messages []Message, release func(), err error) {
	if !slices.ContainsFunc(history, func(m Message) bool { return len(m.attachments) > 0 }) {
		return history, func() {}, nil
	}
	free, err := s.fileMemory.acquire(ctx, min(shownBytes(history), maxFileBytes))
	if err != nil {
		return nil, nil, err
	}
	loaded := false
	defer func() {
		if !loaded { // It failed, or panicked.
			free()
		}
	}()
	messages = slices.Clone(history)
	if err := s.loadFiles(ctx, messages); err != nil {
		return nil, nil, err
	}
	loaded = true
	return messages, free, nil
}

// shownBytes returns the total size of the attachments that can be sent to the
// model.
func shownBytes(history []Message) int64 {
	var size int64
	for n := range history {
		for _, a := range history[n].attachments {
			if a.IsImage() || a.IsText() {
				size += a.Size
			}
		}
	}
	return size
}

// loadFiles puts the contents of the attachments into the messages, the newest
// first, until the bounds are reached: maxFileBytes, maxImages, and as many
// characters of texts as of history. The others are only mentioned.
func (s *Service) loadFiles(ctx context.Context, history []Message) error {
	budget := fileBudget{bytes: maxFileBytes, images: maxImages, chars: s.Limits.HistoryChars}
	for n := range slices.Backward(history) {
		message := &history[n]
		for _, a := range message.attachments {
			if err := s.loadFile(ctx, message, a, &budget); err != nil {
				return err
			}
		}
		message.attachments = nil
	}
	return nil
}

// fileBudget is what remains of the bounds.
type fileBudget struct {
	bytes  int64
	images int
	chars  int
}

// allows reports whether a file, or its beginning, is within the budget.
func (b *fileBudget) allows(a Attachment) bool {
	switch {
	case a.Size > b.bytes:
		return false
	case a.IsImage():
		return b.images > 0
	default:
		return b.chars > 0
	}
}

func (s *Service) loadFile(ctx context.Context, message *Message, a Attachment, budget *fileBudget) error {
	switch {
	case !a.IsImage() && !a.IsText():
		message.mention(a, "its content cannot be shown here")
		return nil
	case !budget.allows(a):
		message.mention(a, "its content is left out")
		return nil
	}
	content, err := s.readBlob(ctx, a)
	switch {
	case errors.Is(err, ErrNoBlob):
		s.warnOfFile(ctx, a, "the content of an attachment is missing")
		message.mention(a, "its content is missing")
		return nil
	case errors.Is(err, errDamaged):
		s.warnOfFile(ctx, a, "the content of an attachment is damaged: it has another size than was stored")
		message.mention(a, "its content is damaged")
		return nil
	case err != nil:
		return s.blobError(ctx, err)
	}
	budget.bytes -= a.Size
	if a.IsImage() {
		budget.images--
		message.Images = append(message.Images, Image{MimeType: a.MimeType, Data: content})
		return nil
	}
	// Copy no more than can be sent.
	text := firstChars(string(content[:min(len(content), budget.chars*utf8.UTFMax)]), budget.chars)
	truncated := len(text) < len(content)
	budget.chars -= utf8.RuneCountInString(text)
	head := fmt.Sprintf("Attached file %q (%s)", a.Name, a.MimeType)
	if truncated {
		head += ", its beginning"
	}
	message.Files = append(message.Files, head+":\n"+text)
	return nil
}

// mention tells the model of a file whose content it is not sent, and why.
func (m *Message) mention(a Attachment, why string) {
	m.Files = append(m.Files, fmt.Sprintf("Attached file %q (%s, %d bytes); %s.", a.Name, a.MimeType, a.Size, why))
}

// errDamaged is the error of a content whose size is not the stored one.
var errDamaged = errors.New("the content has another size than was stored")

// readBlob reads a whole content. Returns ErrNoBlob and errDamaged, which are
// permanent, unlike the errors of a store that cannot be reached.
func (s *Service) readBlob(ctx context.Context, a Attachment) ([]byte, error) {
	if s.Attachments == nil {
		return nil, ErrNoBlob
	}
	ctx, cancel := context.WithTimeout(ctx, readBlobTimeout)
	defer cancel()
	content, err := s.Attachments.Blobs.Open(ctx, blobKey(a.ID))
	if err != nil {
		return nil, err
	}
	defer content.Close()
	// Read to io.EOF: a connection that breaks ends with another error.
	data := bytes.NewBuffer(make([]byte, 0, a.Size+bytes.MinRead))
	if _, err := data.ReadFrom(io.LimitReader(content, a.Size+1)); err != nil {
		return nil, fmt.Errorf("read attachment %s: %w", a.ID, err)
	}
	if int64(data.Len()) != a.Size {
		return nil, errDamaged
	}
	return data.Bytes(), nil
}

// maxWarned bounds the set of attachments that a warning was logged for.
const maxWarned = 1000

// warnOfFile logs a warning about an attachment once: each later request of its
// thread finds the same.
func (s *Service) warnOfFile(ctx context.Context, a Attachment, message string) {
	s.mu.Lock()
	_, logged := s.warned[a.ID]
	if len(s.warned) < maxWarned {
		s.warned[a.ID] = struct{}{}
	}
	s.mu.Unlock()
	if !logged {
		s.Logger.WarnContext(ctx, message, "attachment", a.ID)
	}
}
