package attachments

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	// uploadTimeout is the longest that one upload may take.
	uploadTimeout = 5 * time.Minute
	// uploadLease is how long an upload holds its attachment after the last
	// bytes that it received. An upload whose client disconnected receives
	// none, so that another one can take over on any replica.
	uploadLease = 5 * time.Second
	// uploadRenewal is how old a lease is when it is renewed.
	uploadRenewal = uploadLease / 5
	// uploadRetry is the interval at which an upload tries to claim an attachment
	// that another upload holds.
	uploadRetry = 250 * time.Millisecond
	// releaseTimeout bounds what is written after an upload has failed.
	releaseTimeout = 10 * time.Second
)

// Upload stores an attachment's content, once. If another upload holds
// the attachment, it waits for as long as a lease, in which an upload whose client
// disconnected loses its lease. Returns NOT_SUPPORTED, ErrAttachmentNotFound,
// FORBIDDEN, ErrAttachmentUploaded, ErrAttachmentBeingUploaded,
// ErrUploadSuperseded, and for a content that is not as announced
// INVALID_REQUEST, REQUEST_TOO_LARGE and UNSUPPORTED_MEDIA_TYPE.
func (s *Service) Upload(ctx context.Context, id uuid.UUID, access Access, content io.Reader) error {
	a, err := s.authorize(ctx, id, access, urlUpload)
	if err != nil {
		return err
	}
	storing, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	u := &upload{service: s, ctx: storing, attachment: a, content: newCheckedContent(a, content)}
	if err := u.claim(); err != nil {
		return err
	}
	if err := s.Blobs.Put(storing, blobKey(id), a.Size, a.MimeType, u); err != nil {
		s.releaseUpload(ctx, u)
		if u.problem != nil {
			return u.problem
		}
		return s.blobError(ctx, err)
	}
	err = s.Store.EndUpload(ctx, id, u.until, u.content.digest())
	if chat.CodeOf(err) == chat.CodeAttachmentNotFound {
		s.deleteBlob(ctx, id)
	}
	return err
}

// upload is the reader of a content that is being uploaded. It renews its lease
// as bytes arrive, and fails when it has lost the lease to another upload.
type upload struct {
	service    *Service
	ctx        context.Context //nolint:containedctx // ctx is that of the one upload
	attachment chat.Attachment
	content    *checkedContent
	received   int64
	// until is the end of the lease by the store's clock: the store recognises
	// the holder by it. renewed is the time of the last renewal by this
	// process's clock.
	until   time.Time
	renewed time.Time
	// problem is why the upload is refused; nil if it failed for a reason that the
	// client did not cause.
	problem error
}

// claim takes the lease. It waits for another upload's lease to end.
func (u *upload) claim() error {
	retry := time.NewTicker(uploadRetry)
	defer retry.Stop()
	for waited := time.Duration(0); ; waited += uploadRetry {
		until, err := u.service.Store.ClaimUpload(u.ctx, u.attachment.ID, uploadLease)
		if err == nil {
			u.renewed, u.until = u.service.now(), until
			return nil
		}
		if !errors.Is(err, chat.ErrBeingUploaded) || waited > uploadLease {
			return err
		}
		select {
		case <-u.ctx.Done():
			return u.ctx.Err()
		case <-retry.C:
		}
	}
}

// Read implements [io.Reader].
func (u *upload) Read(p []byte) (int, error) {
	n, err := u.content.Read(p)
	u.problem = u.content.problem
	if n == 0 {
		return 0, err
	}
	u.received += int64(n)
	if err := u.renew(); err != nil {
		return 0, err
	}
	return n, err
}

// renew renews the lease if it is old enough. Once the content is complete the
// lease lasts to the end of the upload: no other may store its content while
// this one is being stored.
func (u *upload) renew() error {
	now := u.service.now()
	lease := uploadLease
	switch {
	case u.received == u.attachment.Size:
		lease = uploadTimeout + releaseTimeout
	case now.Sub(u.renewed) < uploadRenewal:
		return nil
	}
	until, err := u.service.Store.RenewUpload(u.ctx, u.attachment.ID, u.until, lease)
	if err != nil {
		u.problem = err
		return err
	}
	u.renewed, u.until = now, until
	return nil
}

// releaseUpload ends the lease of an upload that failed. If that fails too, the
// lease expires.
func (s *Service) releaseUpload(ctx context.Context, u *upload) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	err := s.Store.EndUpload(ctx, u.attachment.ID, u.until, "")
	if err != nil && chat.CodeOf(err) != chat.CodeAttachmentNotFound && chat.CodeOf(err) != chat.CodeAttachmentConflict {
		s.Logger.WarnContext(ctx, "the attachment of a failed upload stays locked until its lease ends",
			"attachment", u.attachment.ID, "lease_end", u.until, "error", err)
	}
}

// deleteBlob deletes the content of an attachment that was deleted during its
// upload. If it fails, the next sweep deletes the content.
func (s *Service) deleteBlob(ctx context.Context, id uuid.UUID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	_ = s.Blobs.Delete(ctx, blobKey(id))
}
