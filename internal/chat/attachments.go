package chat

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	// maxLoose is how many attachments that no message has a user may hold.
	maxLoose = 50
	// maxAttachments is how many a message may have.
	maxAttachments = 20
	// maxAttachmentName is the longest name of a file, in code points.
	maxAttachmentName = 255
)

// Visitor is the client that reads or writes a content: a user, or any client
// that has a signed URL, which comes without a user.
type Visitor struct {
	UserID    string
	Signature *URLSignature
}

// CreateAttachment announces a file, which is then uploaded. The name is
// cleaned. Returns
// NOT_SUPPORTED, INVALID_REQUEST, REQUEST_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE,
// ErrAttachmentLimit and ErrAttachmentBytes.
func (s *Service) CreateAttachment(ctx context.Context, userID, name, mimeType string, size int64) (Attachment, error) {
	if s.Attachments == nil {
		return Attachment{}, errNoAttachments()
	}
	a := Attachment{
		ID: uuid.New(), UserID: userID, Name: cleanFileName(name), MimeType: bareType(mimeType), Size: size,
		State: AttachmentPending, CreatedAt: s.now(),
	}
	if err := s.checkAttachment(a); err != nil {
		return Attachment{}, err
	}
	limits := AttachmentLimits{Loose: maxLoose, Bytes: s.Attachments.UserBytes}
	if err := s.Store.CreateAttachment(ctx, a, limits); err != nil {
		return Attachment{}, err
	}
	return a, nil
}

// bareType returns a type without its parameters, such as the charset that
// browsers add to some files.
func bareType(mimeType string) string {
	bare, _, _ := strings.Cut(mimeType, ";")
	return strings.ToLower(strings.TrimSpace(bare))
}

func (s *Service) checkAttachment(a Attachment) error {
	switch {
	case a.Name == "" || !utf8.ValidString(a.Name):
		return Errorf(CodeInvalidRequest, "name must be the name of a file.")
	case utf8.RuneCountInString(a.Name) > maxAttachmentName:
		return Errorf(CodeInvalidRequest, "name must have %d characters or fewer.", maxAttachmentName)
	case a.Size < 1:
		return Errorf(CodeInvalidRequest, "size must be 1 or more; an empty file cannot be attached.")
	case a.Size > s.Attachments.MaxBytes:
		return Errorf(CodeRequestTooLarge, "The file has %d bytes; the limit is %d bytes.", a.Size, s.Attachments.MaxBytes)
	case !slices.Contains(s.Attachments.Types, a.MimeType):
		return Errorf(CodeUnsupportedMediaType, "This server does not accept files of this type; it accepts %s.",
			strings.Join(s.Attachments.Types, ", "))
	}
	return nil
}

// OpenAttachment returns an attachment and its content, to be closed. Returns
// NOT_SUPPORTED, ErrAttachmentNotFound, FORBIDDEN and
// ErrAttachmentNotUploaded.
func (s *Service) OpenAttachment(ctx context.Context, id uuid.UUID, visitor Visitor) (Attachment, io.ReadCloser, error) {
	a, err := s.visit(ctx, id, visitor, urlView)
	if err != nil {
		return Attachment{}, nil, err
	}
	if a.State != AttachmentStored {
		return Attachment{}, nil, ErrAttachmentNotUploaded()
	}
	content, err := s.Attachments.Blobs.Open(ctx, blobKey(id))
	if errors.Is(err, ErrNoBlob) {
		return Attachment{}, nil, ErrAttachmentNotFound()
	}
	if err != nil {
		return Attachment{}, nil, s.blobsFailed(ctx, err)
	}
	return a, content, nil
}

// visit returns an attachment to its owner, or to a client that has a signed
// URL of its owner's.
func (s *Service) visit(ctx context.Context, id uuid.UUID, visitor Visitor, use urlUse) (Attachment, error) {
	if s.Attachments == nil {
		return Attachment{}, errNoAttachments()
	}
	a, err := s.Store.Attachment(ctx, id)
	if err != nil {
		return Attachment{}, err
	}
	if visitor.Signature != nil {
		return a, s.checkSignature(use, a, *visitor.Signature)
	}
	if visitor.UserID == "" || a.UserID != visitor.UserID {
		return Attachment{}, ErrForbiddenAttachment()
	}
	return a, nil
}

// DeleteAttachment deletes an attachment that no message has. Returns
// NOT_SUPPORTED, ErrAttachmentNotFound, ErrForbiddenAttachment and
// ErrAttachmentSent.
func (s *Service) DeleteAttachment(ctx context.Context, userID string, id uuid.UUID) error {
	if s.Attachments == nil {
		return errNoAttachments()
	}
	if err := s.Store.DeleteAttachment(ctx, userID, id); err != nil {
		return err
	}
	s.sweepSoon()
	return nil
}

// attachmentsFor returns the attachments that a message names, if the message
// may have them. The store checks again when it gives them to the message.
func (s *Service) attachmentsFor(ctx context.Context, userID string, ids []uuid.UUID) ([]Attachment, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if s.Attachments == nil {
		return nil, errNoAttachments()
	}
	if len(ids) > maxAttachments {
		return nil, Errorf(CodeInvalidRequest, "The message has %d attachments; it may have %d.", len(ids), maxAttachments)
	}
	found := make([]Attachment, 0, len(ids))
	for n, id := range ids {
		if slices.Contains(ids[:n], id) {
			return nil, Errorf(CodeInvalidRequest, "The message names attachment %s twice.", id)
		}
		a, err := s.Store.Attachment(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := a.sendable(userID); err != nil {
			return nil, err
		}
		found = append(found, a)
	}
	return found, nil
}

// sendable returns an error unless a message of the user may have the
// attachment.
func (a Attachment) sendable(userID string) error {
	switch {
	case a.UserID != userID:
		return ErrForbiddenAttachment()
	case a.State != AttachmentStored:
		return ErrAttachmentNotUploaded()
	case a.SessionID != uuid.Nil:
		return ErrAttachmentSent()
	}
	return nil
}

// blobKey returns the key of an attachment's content. Its first part is a
// folder, so that no folder of a disk has very many files.
func blobKey(id uuid.UUID) string {
	text := id.String()
	return text[:2] + "/" + text
}

// blobsFailed returns the error of a store of files that failed. Its cause,
// which may name hosts and paths, is for the log alone.
func (s *Service) blobsFailed(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &Error{
		Code: CodeServiceUnavailable, Message: "The store of attachments cannot be reached; try again shortly.",
		RetryAfter: 5 * time.Second, Err: cause,
	}
}
