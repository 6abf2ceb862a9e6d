package prompt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/attachments"
)

const (
	// maxFileBytes bounds the files of all messages in a request to the model: a
	// long thread does not send all of its files each time.
	maxFileBytes = 20 << 20
	// maxImages bounds the images among them, as providers do. All images of the
	// newest message fit.
	maxImages = attachments.MaxPerMessage
)

// Files reads the attached files of the messages that a model is sent. It is
// safe for concurrent use.
type Files struct {
	// Memory bounds the files of all runs.
	Memory FileMemory

	attachments *attachments.Service
	// maxChars bounds the texts of a request, in code points.
	maxChars int
	logger   *slog.Logger

	mu sync.Mutex
	// warned are the attachments whose missing contents were logged.
	warned map[uuid.UUID]struct{}
}

// NewFiles returns a reader of attached files, which sends at most maxChars code
// points of texts in a request.
func NewFiles(service *attachments.Service, maxChars int, logger *slog.Logger) *Files {
	return &Files{
		Memory: NewFileMemory(maxFileMemory, maxFileMemoryWait), attachments: service, maxChars: maxChars, logger: logger,
		warned: make(map[uuid.UUID]struct{}),
	}
}

// Messages returns the messages of a history for the model, with the contents of
// their files, and with the newest results of tools up to resultChars code points
// together. The caller calls release when the messages are sent.
func (f *Files) Messages(ctx context.Context, history History, resultChars int) (sent []chat.Message, release func(), err error) {
	history = boundResults(history, resultChars)
	sent = make([]chat.Message, len(history))
	for n := range history {
		sent[n] = history[n].Message
	}
	free, err := f.Memory.Acquire(ctx, min(shownBytes(history), maxFileBytes))
	if err != nil {
		return nil, nil, err
	}
	loaded := false
	defer func() {
		if !loaded { // It failed, or panicked.
			free()
		}
	}()
	if err := f.load(ctx, history, sent); err != nil {
		return nil, nil, err
	}
	loaded = true
	return sent, free, nil
}

// shownBytes returns the total size of the attachments that can be sent to the
// model.
func shownBytes(history History) int64 {
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

// load puts the contents of the history's attachments into the messages, the
// newest first, until the bounds are reached: maxFileBytes, maxImages, and
// maxChars characters of texts. The others are only mentioned.
func (f *Files) load(ctx context.Context, history History, sent []chat.Message) error {
	budget := fileBudget{bytes: maxFileBytes, images: maxImages, chars: f.maxChars}
	for n := range slices.Backward(history) {
		for _, a := range history[n].attachments {
			if err := f.loadFile(ctx, &sent[n], a, &budget); err != nil {
				return err
			}
		}
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
func (b *fileBudget) allows(a chat.Attachment) bool {
	switch {
	case a.Size > b.bytes:
		return false
	case a.IsImage():
		return b.images > 0
	default:
		return b.chars > 0
	}
}

func (f *Files) loadFile(ctx context.Context, m *chat.Message, a chat.Attachment, budget *fileBudget) error {
	switch {
	case !a.IsImage() && !a.IsText():
		mention(m, a, "its content cannot be shown here")
		return nil
	case !budget.allows(a):
		mention(m, a, "its content is left out")
		return nil
	}
	content, err := f.attachments.Read(ctx, a)
	switch {
	case errors.Is(err, chat.ErrNoBlob):
		f.warn(ctx, a, "the content of an attachment is missing")
		mention(m, a, "its content is missing")
		return nil
	case errors.Is(err, attachments.ErrDamaged):
		f.warn(ctx, a, "the content of an attachment is damaged: it has another size than was stored")
		mention(m, a, "its content is damaged")
		return nil
	case err != nil:
		return err
	}
	budget.bytes -= a.Size
	if a.IsImage() {
		budget.images--
		m.Images = append(m.Images, chat.Image{MimeType: a.MimeType, Data: content})
		return nil
	}
	// Copy no more than can be sent.
	text := FirstChars(string(content[:min(len(content), budget.chars*utf8.UTFMax)]), budget.chars)
	truncated := len(text) < len(content)
	budget.chars -= utf8.RuneCountInString(text)
	head := fmt.Sprintf("Attached file %q (%s)", a.Name, a.MimeType)
	if truncated {
		head += ", its beginning"
	}
	m.Files = append(m.Files, head+":\n"+text)
	return nil
}

// mention tells the model of a file whose content it is not sent, and why.
func mention(m *chat.Message, a chat.Attachment, why string) {
	m.Files = append(m.Files, fmt.Sprintf("Attached file %q (%s, %d bytes); %s.", a.Name, a.MimeType, a.Size, why))
}

// maxWarned bounds the set of attachments that a warning was logged for.
const maxWarned = 1000

// warn logs a warning about an attachment once: each later request of its thread
// finds the same.
func (f *Files) warn(ctx context.Context, a chat.Attachment, text string) {
	f.mu.Lock()
	_, logged := f.warned[a.ID]
	if len(f.warned) < maxWarned {
		f.warned[a.ID] = struct{}{}
	}
	f.mu.Unlock()
	if !logged {
		f.logger.WarnContext(ctx, text, "attachment", a.ID)
	}
}
