package chat

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	// maxLoose is how many attachments that no message has a user may hold.
	maxLoose = 50
	// maxAttachments is how many a message may have.
	maxAttachments    = 20
	maxAttachmentName = 255 // code points

	// uploadTimeout is how long an upload may take; uploadLease is how long
	// no other may begin, and no sweep may take what it stores.
	uploadTimeout = 5 * time.Minute
	uploadLease   = 10 * time.Minute
	// releaseTimeout is for what is written after an upload that failed.
	releaseTimeout = 10 * time.Second
)

// Visitor is who wants to read or write a content: a user, or whoever has a
// link.
type Visitor struct {
	UserID string
	Link   *Link
}

// CreateAttachment announces a file, which is then uploaded. Returns
// NOT_SUPPORTED, INVALID_REQUEST, REQUEST_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE,
// ErrAttachmentLimit and ErrAttachmentBytes.
func (s *Service) CreateAttachment(ctx context.Context, userID, name, mimeType string, size int64) (Attachment, error) {
	if s.Attachments == nil {
		return Attachment{}, errNoAttachments()
	}
	a := Attachment{
		ID: uuid.New(), UserID: userID, Name: name, MimeType: bareType(mimeType), Size: size,
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

// bareType leaves out parameters such as a charset, which browsers add to some
// files.
func bareType(mimeType string) string {
	bare, _, _ := strings.Cut(mimeType, ";")
	return strings.ToLower(strings.TrimSpace(bare))
}

func (s *Service) checkAttachment(a Attachment) error {
	switch {
	case strings.TrimSpace(a.Name) == "" || !utf8.ValidString(a.Name) || strings.ContainsFunc(a.Name, unicode.IsControl):
		return Errorf(CodeInvalidRequest, "name must be a file's name, without control characters.")
	case utf8.RuneCountInString(a.Name) > maxAttachmentName:
		return Errorf(CodeInvalidRequest, "name must have %d characters or fewer.", maxAttachmentName)
	case a.Size < 1:
		return Errorf(CodeInvalidRequest, "size must be 1 or more: an empty file tells nothing.")
	case a.Size > s.Attachments.MaxBytes:
		return Errorf(CodeRequestTooLarge, "The file has %d bytes; the limit is %d bytes.", a.Size, s.Attachments.MaxBytes)
	case !slices.Contains(s.Attachments.Types, a.MimeType):
		return Errorf(CodeUnsupportedMediaType, "This server does not take files of this type; it takes %s.",
			strings.Join(s.Attachments.Types, ", "))
	}
	return nil
}

// UploadAttachment stores an attachment's content, once. Returns
// NOT_SUPPORTED, ErrAttachmentNotFound, FORBIDDEN, ErrAttachmentUploaded, and
// for a content that is not what was announced INVALID_REQUEST,
// REQUEST_TOO_LARGE and UNSUPPORTED_MEDIA_TYPE.
func (s *Service) UploadAttachment(ctx context.Context, id uuid.UUID, visitor Visitor, content io.Reader) error {
	a, err := s.visit(ctx, id, visitor, linkUpload)
	if err != nil {
		return err
	}
	now := s.now()
	until := now.Add(uploadLease)
	if err := s.Store.ClaimUpload(ctx, id, now, until); err != nil {
		return err
	}
	putting, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	checked := newCheckedContent(a, content)
	if err := s.Attachments.Blobs.Put(putting, blobKey(id), a.Size, a.MimeType, checked); err != nil {
		s.release(ctx, id, until)
		if checked.problem != nil {
			return checked.problem
		}
		return s.blobsFailed(ctx, err)
	}
	err = s.Store.EndUpload(ctx, id, until, checked.digest())
	if CodeOf(err) == CodeAttachmentNotFound {
		s.dropBlob(ctx, id)
	}
	return err
}

// release lets the content be uploaded again, or else the lease does.
func (s *Service) release(ctx context.Context, id uuid.UUID, until time.Time) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if err := s.Store.EndUpload(ctx, id, until, ""); err != nil && CodeOf(err) != CodeAttachmentNotFound {
		s.Logger.WarnContext(ctx, "an attachment cannot be uploaded again for some minutes", "attachment", id, "error", err)
	}
}

// dropBlob is for an attachment that was deleted during its upload; the sweep
// deletes what this does not.
func (s *Service) dropBlob(ctx context.Context, id uuid.UUID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	_ = s.Attachments.Blobs.Delete(ctx, blobKey(id))
}

// OpenAttachment returns an attachment and its content, to be closed. Returns
// NOT_SUPPORTED, ErrAttachmentNotFound, FORBIDDEN and
// ErrAttachmentNotUploaded.
func (s *Service) OpenAttachment(ctx context.Context, id uuid.UUID, visitor Visitor) (Attachment, io.ReadCloser, error) {
	a, err := s.visit(ctx, id, visitor, linkView)
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

// visit returns an attachment to its owner, or to whoever has a link of its
// owner's.
func (s *Service) visit(ctx context.Context, id uuid.UUID, visitor Visitor, use linkUse) (Attachment, error) {
	if s.Attachments == nil {
		return Attachment{}, errNoAttachments()
	}
	a, err := s.Store.Attachment(ctx, id)
	if err != nil {
		return Attachment{}, err
	}
	if visitor.Link != nil {
		return a, s.checkLink(use, a, *visitor.Link)
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

// attachmentsFor are the attachments that a message names, if it may have
// them. The store looks again when it gives them to the message.
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

// blobKey is where an attachment's content is. Folders keep a disk's lists
// short.
func blobKey(id uuid.UUID) string {
	text := id.String()
	return text[:2] + "/" + text
}

// blobsFailed logs why the store of files failed, which may name places, and
// tells that it did.
func (s *Service) blobsFailed(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &Error{
		Code: CodeServiceUnavailable, Message: "The store of attachments is out of reach; try again shortly.",
		RetryAfter: 5 * time.Second, Err: cause,
	}
}
