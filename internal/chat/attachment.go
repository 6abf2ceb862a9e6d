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
	// SessionID is zero until a message has the file.
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

// AttachmentState says whether an attachment's content is there.
type AttachmentState string

// The states of an attachment that is not deleted. Their values are stored.
const (
	AttachmentPending AttachmentState = "pending"
	AttachmentStored  AttachmentState = "stored"
)

// IsImage says whether the model is shown the attachment as a picture.
func (a Attachment) IsImage() bool { return IsImageType(a.MimeType) }

// IsImageType says whether a type is one of the images that models take and
// whose content can be told by its first bytes. SVG is none: it can hold
// scripts.
func IsImageType(mimeType string) bool {
	return slices.Contains([]string{"image/png", "image/jpeg", "image/webp", "image/gif"}, mimeType)
}

// IsText says whether the model is shown the attachment as text.
func (a Attachment) IsText() bool {
	return strings.HasPrefix(a.MimeType, "text/") || a.MimeType == "application/json" ||
		strings.HasSuffix(a.MimeType, "+json")
}

// Blobs keep the contents of attachments. They are used concurrently.
type Blobs interface {
	// Put stores size bytes under a key, whole or not at all: where reading
	// fails, nothing is stored. What was there before is replaced.
	Put(ctx context.Context, key string, size int64, mimeType string, content io.Reader) error

	// Open reads a content. Returns ErrNoBlob if it is not there.
	Open(ctx context.Context, key string) (io.ReadCloser, error)

	// Delete removes a content. It is no error if it is not there.
	Delete(ctx context.Context, key string) error
}

// ErrNoBlob says that Blobs have nothing under a key.
var ErrNoBlob = errors.New("no content is stored under this key")

// AttachmentOptions say which attachments are taken and where they are kept.
type AttachmentOptions struct {
	Blobs Blobs
	// MaxBytes is the size of one attachment at most.
	MaxBytes int64
	// UserBytes is the size of all that a user has; 0 is no limit.
	UserBytes int64
	// Types are those that are taken.
	Types []string
	// LinkKey signs the links to attachments.
	LinkKey []byte
}

// AttachmentLimits bound what a user has of attachments that are not garbage.
type AttachmentLimits struct {
	// Loose is how many may have no message.
	Loose int
	// Bytes is their size together, each as announced; 0 is no limit. Small
	// ones count as a few kilobytes.
	Bytes int64
}

// AttachmentStore keeps what is known of attachments, not their contents. It
// is a part of Store.
//
// An attachment that nobody can use any more stays in the store as garbage
// until SweepAttachments has told of it, its content is deleted, and
// ForgetAttachments is called: so no content stays behind, whatever stops in
// between.
type AttachmentStore interface {
	// CreateAttachment stores a pending attachment. Returns ErrAttachmentLimit
	// and ErrAttachmentBytes where the limits would be passed, by creates at the
	// same moment too. Costs what the user has, not the rows of the table.
	CreateAttachment(ctx context.Context, a Attachment, limits AttachmentLimits) error

	// Attachment returns an attachment, whoever owns it: that is the caller's
	// to judge. Returns ErrAttachmentNotFound.
	Attachment(ctx context.Context, id uuid.UUID) (Attachment, error)

	// ClaimUpload gives a pending attachment to one upload until a time.
	// Returns ErrAttachmentNotFound, and ErrAttachmentUploaded if its content
	// is stored or another upload has it at now.
	ClaimUpload(ctx context.Context, id uuid.UUID, now, until time.Time) error

	// EndUpload ends the upload that was claimed until the given time: the
	// content with the digest is stored, or, without a digest, is not and may
	// be uploaded again. Returns ErrAttachmentNotFound if the attachment was
	// deleted meanwhile, or the claim is another's now.
	EndUpload(ctx context.Context, id uuid.UUID, until time.Time, digest string) error

	// DeleteAttachment makes an attachment that no message has garbage.
	// Returns ErrAttachmentNotFound, ErrForbiddenAttachment, and
	// ErrAttachmentSent if a message has it.
	DeleteAttachment(ctx context.Context, userID string, id uuid.UUID) error

	// SweepAttachments returns up to limit attachments that are garbage, and
	// makes sure that they stay so: those that were deleted, those whose
	// session is gone, and those made before unsentBefore that no message has.
	// One that is being uploaded at now is left out. They come in another order
	// each time. Several may sweep at once.
	SweepAttachments(ctx context.Context, now, unsentBefore time.Time, limit int) ([]uuid.UUID, error)

	// ForgetAttachments removes garbage whose contents are deleted.
	ForgetAttachments(ctx context.Context, ids []uuid.UUID) error
}

// ErrAttachmentNotFound says that no attachment has the id.
func ErrAttachmentNotFound() *Error {
	return Errorf(CodeAttachmentNotFound, "No attachment has this id.")
}

// ErrForbiddenAttachment says that the attachment is another user's.
func ErrForbiddenAttachment() *Error {
	return Errorf(CodeForbidden, "This attachment belongs to another user.")
}

// ErrAttachmentLimit says that the user has limit attachments that no message
// has.
func ErrAttachmentLimit(limit int) *Error {
	return Errorf(CodeAttachmentLimit, "You have %d attachments that no message has, the most allowed; send or delete one first.", limit)
}

// ErrAttachmentBytes says that the user's files would have more than limit
// bytes together.
func ErrAttachmentBytes(limit int64) *Error {
	return Errorf(CodeAttachmentLimit,
		"Your files may have %d bytes together, and there is no room for this one; delete some, or threads that have some, first.", limit)
}

// ErrAttachmentUploaded says that there is nothing to upload.
func ErrAttachmentUploaded() *Error {
	return Errorf(CodeAttachmentConflict, "This attachment is uploaded already, or is being uploaded.")
}

// ErrAttachmentNotUploaded says that the content is not there yet.
func ErrAttachmentNotUploaded() *Error {
	return Errorf(CodeAttachmentConflict, "This attachment is not uploaded yet; send its content first.")
}

// ErrAttachmentSent says that a message has the attachment.
func ErrAttachmentSent() *Error {
	return Errorf(CodeAttachmentConflict, "A message has this attachment already; it goes with its thread.")
}

// errNoAttachments is a server's without a place for files.
func errNoAttachments() *Error { return Errorf(CodeNotSupported, "This server takes no attachments.") }
