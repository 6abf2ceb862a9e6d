package attachments

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// MaxPerMessage is the maximum number of attachments in a message.
const MaxPerMessage = 20

const (
	// maxUnsent is the maximum number of a user's unsent attachments.
	maxUnsent = 50
	// maxName is the maximum length of a file name, in code points.
	maxName = 255
)

// Create announces a file, whose content is uploaded afterwards. The
// name is stored as cleanFileName returns it. Returns NOT_SUPPORTED,
// INVALID_REQUEST, REQUEST_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, ErrAttachmentLimit
// and ErrAttachmentBytes.
func (s *Service) Create(ctx context.Context, userID, name, mimeType string, size int64) (chat.Attachment, error) {
	if s.Blobs == nil {
		return chat.Attachment{}, errNotSupported()
	}
	a := chat.Attachment{
		ID: uuid.New(), UserID: userID, Name: cleanFileName(name), MimeType: bareType(mimeType), Size: size,
		State: chat.AttachmentPending, CreatedAt: s.now(),
	}
	if err := s.check(a); err != nil {
		return chat.Attachment{}, err
	}
	limits := chat.AttachmentLimits{Unsent: maxUnsent, Bytes: s.UserBytes}
	if err := s.Store.CreateAttachment(ctx, a, limits); err != nil {
		return chat.Attachment{}, err
	}
	return a, nil
}

// bareType returns a type without its parameters, such as the charset that
// browsers add to some files.
func bareType(mimeType string) string {
	bare, _, _ := strings.Cut(mimeType, ";")
	return strings.ToLower(strings.TrimSpace(bare))
}

func (s *Service) check(a chat.Attachment) error {
	switch {
	case a.Name == "" || !utf8.ValidString(a.Name):
		return chat.Errorf(chat.CodeInvalidRequest, "name must be the name of a file.")
	case utf8.RuneCountInString(a.Name) > maxName:
		return chat.Errorf(chat.CodeInvalidRequest, "name must have %d characters or fewer.", maxName)
	case a.Size < 1:
		return chat.Errorf(chat.CodeInvalidRequest, "size must be 1 or more; an empty file cannot be attached.")
	case a.Size > s.MaxBytes:
		return chat.Errorf(chat.CodeRequestTooLarge, "The file has %d bytes; the limit is %d bytes.", a.Size, s.MaxBytes)
	case !slices.Contains(s.Types, a.MimeType):
		return chat.Errorf(chat.CodeUnsupportedMediaType, "This server does not accept files of this type; it accepts %s.",
			strings.Join(s.Types, ", "))
	}
	return nil
}

// Open returns an attachment and its content, to be closed. Returns
// NOT_SUPPORTED, ErrAttachmentNotFound, FORBIDDEN and
// ErrAttachmentNotUploaded.
func (s *Service) Open(ctx context.Context, id uuid.UUID, access Access) (chat.Attachment, io.ReadCloser, error) {
	a, err := s.authorize(ctx, id, access, urlView)
	if err != nil {
		return chat.Attachment{}, nil, err
	}
	if a.State != chat.AttachmentStored {
		return chat.Attachment{}, nil, chat.ErrAttachmentNotUploaded()
	}
	content, err := s.Blobs.Open(ctx, blobKey(id))
	if errors.Is(err, chat.ErrNoBlob) {
		return chat.Attachment{}, nil, chat.ErrAttachmentNotFound()
	}
	if err != nil {
		return chat.Attachment{}, nil, s.blobError(ctx, err)
	}
	return a, content, nil
}

// authorize returns an attachment if access permits this use of it.
func (s *Service) authorize(ctx context.Context, id uuid.UUID, access Access, use urlUse) (chat.Attachment, error) {
	if s.Blobs == nil {
		return chat.Attachment{}, errNotSupported()
	}
	a, err := s.Store.Attachment(ctx, id)
	if err != nil {
		return chat.Attachment{}, err
	}
	if access.Signature != nil {
		return a, s.checkSignature(use, a, *access.Signature)
	}
	if access.UserID == "" || a.UserID != access.UserID {
		return chat.Attachment{}, chat.ErrForbiddenAttachment()
	}
	return a, nil
}

// Delete deletes an unsent attachment. Returns NOT_SUPPORTED,
// ErrAttachmentNotFound, ErrForbiddenAttachment and ErrAttachmentSent.
func (s *Service) Delete(ctx context.Context, userID string, id uuid.UUID) error {
	if s.Blobs == nil {
		return errNotSupported()
	}
	if err := s.Store.DeleteAttachment(ctx, userID, id); err != nil {
		return err
	}
	s.RequestSweep()
	return nil
}

// ForMessage returns the attachments that a message names, if it may use
// them. The store checks that again when it stores the message.
func (s *Service) ForMessage(ctx context.Context, userID string, ids []uuid.UUID) ([]chat.Attachment, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if s.Blobs == nil {
		return nil, errNotSupported()
	}
	if len(ids) > MaxPerMessage {
		return nil, chat.Errorf(chat.CodeInvalidRequest, "The message has %d attachments; the limit is %d.", len(ids), MaxPerMessage)
	}
	found := make([]chat.Attachment, 0, len(ids))
	for n, id := range ids {
		if slices.Contains(ids[:n], id) {
			return nil, chat.Errorf(chat.CodeInvalidRequest, "The message names attachment %s twice.", id)
		}
		a, err := s.Store.Attachment(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := sendable(a, userID); err != nil {
			return nil, err
		}
		found = append(found, a)
	}
	return found, nil
}

// sendable returns an error unless the user can send the attachment in a message.
func sendable(a chat.Attachment, userID string) error {
	switch {
	case a.UserID != userID:
		return chat.ErrForbiddenAttachment()
	case a.State != chat.AttachmentStored:
		return chat.ErrAttachmentNotUploaded()
	case a.SessionID != uuid.Nil:
		return chat.ErrAttachmentSent()
	}
	return nil
}
