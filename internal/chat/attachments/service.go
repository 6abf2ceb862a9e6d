package attachments

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Options are what a service is made of.
type Options struct {
	Store chat.AttachmentStore
	// Blobs store the contents; nil refuses attachments.
	Blobs chat.Blobs
	// MaxBytes is the largest size of an attachment.
	MaxBytes int64
	// UserBytes is the largest size of all attachments of a user; 0 is no limit.
	UserBytes int64
	// Types are the MIME types that are accepted.
	Types []string
	// URLKey signs the URLs of attachments.
	URLKey []byte
	// Logger may be nil.
	Logger *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Service accepts, stores, serves and deletes attachments.
type Service struct {
	Options

	sweepRequests chan struct{}
}

// New returns a service. Call SweepUntil to remove deleted
// attachments.
func New(o Options) *Service {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{Options: o, sweepRequests: make(chan struct{}, 1)}
}

// now is the time with the precision of the store.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// Access is what permits a client to read or write a content: its user,
// or the signature of a signed URL, which needs no user.
type Access struct {
	UserID    string
	Signature *URLSignature
}

// errNotSupported is the error of a server without a store of contents.
func errNotSupported() error {
	return chat.Errorf(chat.CodeNotSupported, "This server accepts no attachments.")
}

// blobKey returns the key of an attachment's content. Its first two characters
// are a folder, so that no folder on a disk has very many files.
func blobKey(id uuid.UUID) string {
	text := id.String()
	return text[:2] + "/" + text
}

// blobError returns the error of a file store that failed. Only the log has the
// cause, which may name hosts and paths.
func (s *Service) blobError(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &chat.Error{
		Code: chat.CodeServiceUnavailable, Message: "The file store cannot be reached; try again shortly.",
		RetryAfter: 5 * time.Second, Err: cause,
	}
}

// readTimeout bounds the reading of one content: other runs may wait for the
// memory that it uses.
const readTimeout = 30 * time.Second

// ErrDamaged is the error of a content whose size is not the stored one.
var ErrDamaged = errors.New("the content has another size than was stored")

// Read reads a whole content. Returns ErrNoBlob and ErrDamaged, which are
// permanent, and SERVICE_UNAVAILABLE.
func (s *Service) Read(ctx context.Context, a chat.Attachment) ([]byte, error) {
	if s.Blobs == nil {
		return nil, chat.ErrNoBlob
	}
	reading, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	content, err := s.Blobs.Open(reading, blobKey(a.ID))
	if errors.Is(err, chat.ErrNoBlob) {
		return nil, err
	}
	if err != nil {
		return nil, s.blobError(ctx, err)
	}
	defer content.Close()
	// Read to io.EOF: a connection that breaks ends with another error.
	data := bytes.NewBuffer(make([]byte, 0, a.Size+bytes.MinRead))
	if _, err := data.ReadFrom(io.LimitReader(content, a.Size+1)); err != nil {
		return nil, s.blobError(ctx, fmt.Errorf("read attachment %s: %w", a.ID, err))
	}
	if int64(data.Len()) != a.Size {
		return nil, ErrDamaged
	}
	return data.Bytes(), nil
}
