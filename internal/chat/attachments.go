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
	// maxUnsent is the maximum number of a user's unsent attachments.
	maxUnsent = 50
	// maxAttachments is the maximum number of attachments in a message.
	maxAttachments = 20
	// maxAttachmentName is the maximum length of a file name, in code points.
	maxAttachmentName = 255
)

// AttachmentAccess is what permits a client to read or write a content: its user,
// or the signature of a signed URL, which needs no user.
type AttachmentAccess struct {
	UserID    string
	Signature *URLSignature
}

// CreateAttachment announces a file, whose content is uploaded afterwards. The
// name is stored as cleanFileName returns it. Returns NOT_SUPPORTED, INVALID_REQUEST, REQUEST_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE,
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
	limits := AttachmentLimits{Unsent: maxUnsent, Bytes: s.Attachments.UserBytes}
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
func (s *Service) OpenAttachment(ctx context.Context, id uuid.UUID, access AttachmentAccess) (Attachment, io.ReadCloser, error) {
	a, err := s.authorizeAttachment(ctx, id, access, urlView)
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
		return Attachment{}, nil, s.blobError(ctx, err)
	}
	return a, content, nil
}

// authorizeAttachment returns an attachment if access permits this use of it.
func (s *Service) authorizeAttachment(ctx context.Context, id uuid.UUID, access AttachmentAccess, use urlUse) (Attachment, error) {
	if s.Attachments == nil {
		return Attachment{}, errNoAttachments()
	}
	a, err := s.Store.Attachment(ctx, id)
	if err != nil {
		return Attachment{}, err
	}
	if access.Signature != nil {
		return a, s.checkSignature(use, a, *access.Signature)
	}
	if access.UserID == "" || a.UserID != access.UserID {
		return Attachment{}, ErrForbiddenAttachment()
	}
	return a, nil
}

// DeleteAttachment deletes an unsent attachment. Returns
// NOT_SUPPORTED, ErrAttachmentNotFound, ErrForbiddenAttachment and
// ErrAttachmentSent.
func (s *Service) DeleteAttachment(ctx context.Context, userID string, id uuid.UUID) error {
	if s.Attachments == nil {
		return errNoAttachments()
	}
	if err := s.Store.DeleteAttachment(ctx, userID, id); err != nil {
		return err
	}
	s.requestSweep()
	return nil
}

// attachmentsFor returns the attachments that a message names, if it may use
// them. The store checks that again when it stores the message.
func (s *Service) attachmentsFor(ctx context.Context, userID string, ids []uuid.UUID) ([]Attachment, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if s.Attachments == nil {
		return nil, errNoAttachments()
	}
	if len(ids) > maxAttachments {
		return nil, Errorf(CodeInvalidRequest, "The message has %d attachments; the limit is %d.", len(ids), maxAttachments)
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

// sendable returns an error unless the user can send the attachment in a message.
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
	return &Error{
		Code: CodeServiceUnavailable, Message: "The file store cannot be reached; try again shortly.",
		RetryAfter: 5 * time.Second, Err: cause,
	}
}
