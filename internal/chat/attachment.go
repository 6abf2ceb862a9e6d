package chat

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Attachment is a file that a user sends with a message.
type Attachment struct {
	ID     uuid.UUID
	UserID string
	// SessionID is zero until the attachment is part of a message.
	SessionID uuid.UUID
	Name      string
	// MimeType has no parameters and is lower case.
	MimeType string
	Size     int64
	State    AttachmentState
	// Digest is the SHA-256 of the content in hex, once it is stored.
	Digest    string
	CreatedAt time.Time
}

// AttachmentState is whether an attachment's content is stored.
type AttachmentState string

// The states of an attachment that is not deleted. Their values are stored.
const (
	AttachmentPending AttachmentState = "pending"
	AttachmentStored  AttachmentState = "stored"
)

// IsImage reports whether the attachment is sent to the model as an image.
func (a Attachment) IsImage() bool { return IsImageType(a.MimeType) }

// IsImageType reports whether a type is one of the images that models accept
// and whose content can be recognised by its first bytes. SVG is not one: it
// can contain scripts.
func IsImageType(mimeType string) bool {
	return slices.Contains([]string{"image/png", "image/jpeg", "image/webp", "image/gif"}, mimeType)
}

// IsText reports whether the attachment is sent to the model as text.
func (a Attachment) IsText() bool {
	return strings.HasPrefix(a.MimeType, "text/") || a.MimeType == "application/json" ||
		strings.HasSuffix(a.MimeType, "+json")
}

// Blobs store the contents of attachments. They are safe for concurrent use.
type Blobs interface {
	// Put stores size bytes under a key and replaces an earlier content. It is
	// atomic: if reading the content fails, nothing is stored.
	Put(ctx context.Context, key string, size int64, mimeType string, content io.Reader) error

	// Open opens a content for reading. Returns ErrNoBlob if there is none.
	Open(ctx context.Context, key string) (io.ReadCloser, error)

	// Delete removes a content. It is not an error if there is none.
	Delete(ctx context.Context, key string) error
}

// ErrNoBlob is the error of a key that has no content.
var ErrNoBlob = errors.New("no content is stored under this key")

// AttachmentLimits bound the attachments of a user. Garbage does not count.
type AttachmentLimits struct {
	// Unsent is the maximum number of attachments that are not part of a message.
	Unsent int
	// Bytes is the maximum total of the announced sizes; 0 is no limit. Small
	// files count as a few kilobytes.
	Bytes int64
}

// AttachmentStore stores attachments without their contents. It is a part of
// Store.
//
// An attachment that cannot be used any more stays in the store as garbage until
// SweepAttachments has returned it, its content is deleted, and
// ForgetAttachments is called. No content is left behind if the process stops in
// between.
type AttachmentStore interface {
	// CreateAttachment stores a pending attachment. Returns ErrAttachmentLimit
	// and ErrAttachmentBytes where the limits would be exceeded, also by
	// concurrent calls. Its cost grows with the user's
	// attachments, not with the table.
	CreateAttachment(ctx context.Context, a Attachment, limits AttachmentLimits) error

	// Attachment returns an attachment of any user; the caller checks the owner.
	// Returns ErrAttachmentNotFound.
	Attachment(ctx context.Context, id uuid.UUID) (Attachment, error)

	// ClaimUpload gives a pending attachment to one upload for the duration of
	// the lease. It returns the end of the lease, by which the store recognises
	// the holder. Returns ErrAttachmentNotFound, ErrAttachmentUploaded if the
	// content is stored, and ErrAttachmentBeingUploaded if another upload's
	// lease has not ended.
	ClaimUpload(ctx context.Context, id uuid.UUID, lease time.Duration) (until time.Time, err error)

	// RenewUpload lets the lease that ends at until end after the given duration
	// from now, and returns its new end. A lease that has ended can be renewed
	// as long as no other upload has claimed the attachment. Returns
	// ErrAttachmentNotFound, and ErrUploadSuperseded if another upload has
	// claimed it.
	RenewUpload(ctx context.Context, id uuid.UUID, until time.Time, lease time.Duration) (newUntil time.Time, err error)

	// EndUpload ends the upload whose lease ends at until: the content with the
	// digest is stored, or, without a digest, it is not and may be uploaded
	// again. Returns ErrAttachmentNotFound if the attachment was deleted
	// meanwhile, and ErrUploadSuperseded if another upload has claimed it.
	EndUpload(ctx context.Context, id uuid.UUID, until time.Time, digest string) error

	// DeleteAttachment makes an unsent attachment garbage. Returns
	// ErrAttachmentNotFound, ErrForbiddenAttachment, and ErrAttachmentSent if it is
	// part of a message.
	DeleteAttachment(ctx context.Context, userID string, id uuid.UUID) error

	// SweepAttachments returns up to limit attachments that are garbage, and
	// makes sure that they stay so: those that were deleted, those whose
	// session was deleted, and those created before unsentBefore that no message
	// has. It leaves out an attachment whose upload has a lease. The order is
	// random. Concurrent calls return different attachments.
	SweepAttachments(ctx context.Context, unsentBefore time.Time, limit int) ([]uuid.UUID, error)

	// ForgetAttachments removes garbage whose contents are deleted.
	ForgetAttachments(ctx context.Context, ids []uuid.UUID) error
}

// ErrAttachmentNotFound is the error of an id that no attachment has.
func ErrAttachmentNotFound() *Error {
	return Errorf(CodeAttachmentNotFound, "No attachment has this id.")
}

// ErrForbiddenAttachment is the error of an attachment of another user.
func ErrForbiddenAttachment() *Error {
	return Errorf(CodeForbidden, "This attachment belongs to another user.")
}

// ErrAttachmentLimit is the error of a user who has limit unsent attachments.
func ErrAttachmentLimit(limit int) *Error {
	return Errorf(CodeAttachmentLimit, "You have %d attachments that are not sent, which is the limit; send or delete one first.", limit)
}

// ErrAttachmentBytes is the error of a user whose files would have more than
// limit bytes together.
func ErrAttachmentBytes(limit int64) *Error {
	return Errorf(CodeAttachmentLimit,
		"Your files may have %d bytes in total, and this one exceeds that; first delete files, or threads with files.", limit)
}

// ErrAttachmentUploaded is the error of an upload whose content is stored
// already.
func ErrAttachmentUploaded() *Error {
	return Errorf(CodeAttachmentConflict, "This attachment is uploaded already; create another attachment to send another content.")
}

// ErrAttachmentBeingUploaded is the error of an upload while another one is
// receiving the content.
func ErrAttachmentBeingUploaded() *Error {
	return &Error{
		Code: CodeAttachmentConflict, Message: "This attachment is being uploaded by another request; try again when that has ended.",
		Err: ErrBeingUploaded,
	}
}

// ErrBeingUploaded is the cause of ErrAttachmentBeingUploaded, which tells it from
// the other errors with its code.
var ErrBeingUploaded = errors.New("another upload has a lease")

// ErrUploadSuperseded is the error of an upload that stalled for some seconds, in
// which another upload took over.
func ErrUploadSuperseded() *Error {
	return Errorf(CodeAttachmentConflict, "Another upload of this attachment took over, as this one had stalled.")
}

// ErrAttachmentNotUploaded is the error of an attachment without a content.
func ErrAttachmentNotUploaded() *Error {
	return Errorf(CodeAttachmentConflict, "This attachment is not uploaded yet; send its content first.")
}

// ErrAttachmentSent is the error of an attachment that is part of a message.
func ErrAttachmentSent() *Error {
	return Errorf(CodeAttachmentConflict, "This attachment is part of a message already; it is deleted with its thread.")
}
