package store

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
)

const (
	// lockUser serializes concurrent creates of one user.
	lockUser = `INSERT INTO users (id, session_count) VALUES (?, 0)
		ON CONFLICT (id) DO UPDATE SET session_count = users.session_count`
	// usedBytes reads only the index attachments_by_user, whose condition it
	// repeats. Counting each file as at least minCounted bounds the rows.
	usedBytes = `SELECT CAST(COALESCE(sum(CASE WHEN size > ? THEN size ELSE ? END), 0) AS bigint) FROM attachments
		WHERE user_id = ? AND state <> 'deleted' AND (session_id IS NOT NULL OR item_id IS NULL)`
	unsentFiles = `SELECT count(*) FROM attachments
		WHERE user_id = ? AND session_id IS NULL AND item_id IS NULL AND state <> 'deleted'`
	attachmentInsert = `INSERT INTO attachments (id, user_id, name, mime_type, size, state, digest, upload_until, created_at)
		VALUES (?, ?, ?, ?, ?, 'pending', '', 0, ?)`
)

// minCounted is the size that a smaller file counts as: a disk block.
const minCounted = 4 << 10

// CreateAttachment implements [chat.Store].
func (s *Store) CreateAttachment(ctx context.Context, a chat.Attachment, limits chat.AttachmentLimits) error {
	return s.db.InTransaction(ctx, "create attachment", func(tx *gorm.DB) error {
		if err := tx.Exec(lockUser, a.UserID).Error; err != nil {
			return err
		}
		unsent, err := readNumber(tx.Raw(unsentFiles, a.UserID))
		if err != nil {
			return err
		}
		if unsent >= limits.Unsent {
			return chat.ErrAttachmentLimit(limits.Unsent)
		}
		if err := checkUserBytes(tx, a, limits.Bytes); err != nil {
			return err
		}
		return tx.Exec(attachmentInsert, a.ID.String(), a.UserID, toText(a.Name), toText(a.MimeType), a.Size,
			toMicros(a.CreatedAt)).Error
	})
}

// checkUserBytes returns ErrAttachmentBytes if a user's files would have more
// than limit bytes with another one; 0 is no limit.
func checkUserBytes(tx *gorm.DB, a chat.Attachment, limit int64) error {
	if limit == 0 {
		return nil
	}
	used, err := readNumber(tx.Raw(usedBytes, minCounted, minCounted, a.UserID))
	if err == nil && int64(used)+max(a.Size, minCounted) > limit {
		err = chat.ErrAttachmentBytes(limit)
	}
	return err
}

const attachmentSelect = `SELECT id, user_id, session_id, item_id, name, mime_type, size, state, digest, created_at
		FROM attachments WHERE id = ? AND state <> 'deleted'`

// attachmentRow is a row of attachments.
type attachmentRow struct {
	ID        uuid.UUID
	UserID    string
	SessionID uuid.NullUUID
	ItemID    uuid.NullUUID
	Name      string
	MimeType  string
	Size      int64
	State     string
	Digest    string
	CreatedAt int64
}

func attachmentFields(r *attachmentRow) []any {
	return []any{
		&r.ID, &r.UserID, &r.SessionID, &r.ItemID, &r.Name, &r.MimeType, &r.Size, &r.State, &r.Digest, &r.CreatedAt,
	}
}

// Attachment implements [chat.Store].
func (s *Store) Attachment(ctx context.Context, id uuid.UUID) (chat.Attachment, error) {
	var found chat.Attachment
	err := s.db.Do(ctx, "read attachment", func(ctx context.Context) error {
		row, err := readAttachment(s.db.Read(ctx), id)
		found = toChatAttachment(row)
		return err
	})
	if err != nil {
		return chat.Attachment{}, err
	}
	return found, nil
}

// readAttachment reads an attachment that is not garbage. An attachment of a
// message without a session is garbage: its session was deleted.
func readAttachment(db *gorm.DB, id uuid.UUID) (attachmentRow, error) {
	rows, err := readRows(db.Raw(attachmentSelect, id.String()), attachmentFields)
	if err != nil {
		return attachmentRow{}, err
	}
	if len(rows) == 0 || rows[0].ItemID.Valid && !rows[0].SessionID.Valid {
		return attachmentRow{}, chat.ErrAttachmentNotFound()
	}
	return rows[0], nil
}

func toChatAttachment(row attachmentRow) chat.Attachment {
	return chat.Attachment{
		ID: row.ID, UserID: row.UserID, SessionID: row.SessionID.UUID, Name: row.Name, MimeType: row.MimeType,
		Size: row.Size, State: chat.AttachmentState(row.State), Digest: row.Digest, CreatedAt: fromMicros(row.CreatedAt),
	}
}

// ClaimUpload implements [chat.Store].
func (s *Store) ClaimUpload(ctx context.Context, id uuid.UUID, lease time.Duration) (time.Time, error) {
	var until time.Time
	err := s.db.Do(ctx, "claim upload", func(ctx context.Context) error {
		db := s.db.Write(ctx)
		ends, err := readLeaseEnds(db.Raw(leasesOf(db).claimUpload, lease.Microseconds(), id.String()))
		if err != nil {
			return err
		}
		if len(ends) == 1 {
			until = fromMicros(ends[0])
			return nil
		}
		row, err := readAttachment(db, id)
		switch {
		case err != nil:
			return err
		case row.State == string(chat.AttachmentStored):
			return chat.ErrAttachmentUploaded()
		}
		return chat.ErrAttachmentBeingUploaded()
	})
	return until, err
}

// readLeaseEnds returns the ends of the leases that a statement has set.
func readLeaseEnds(result *gorm.DB) ([]int64, error) {
	return readRows(result, func(until *int64) []any { return []any{until} })
}

// RenewUpload implements [chat.Store].
func (s *Store) RenewUpload(ctx context.Context, id uuid.UUID, until time.Time, lease time.Duration) (time.Time, error) {
	var newUntil time.Time
	err := s.db.Do(ctx, "renew upload", func(ctx context.Context) error {
		db := s.db.Write(ctx)
		ends, err := readLeaseEnds(db.Raw(leasesOf(db).renewUpload, lease.Microseconds(), id.String(), toMicros(until)))
		if err != nil {
			return err
		}
		if len(ends) == 1 {
			newUntil = fromMicros(ends[0])
			return nil
		}
		return lostUpload(db, id)
	})
	return newUntil, err
}

// lostUpload returns the error of a change that required an upload's lease and
// did not find it.
func lostUpload(db *gorm.DB, id uuid.UUID) error {
	if _, err := readAttachment(db, id); err != nil {
		return err
	}
	return chat.ErrUploadSuperseded()
}

// EndUpload implements [chat.Store].
func (s *Store) EndUpload(ctx context.Context, id uuid.UUID, until time.Time, digest string) error {
	state := chat.AttachmentStored
	if digest == "" {
		state = chat.AttachmentPending
	}
	return s.db.Do(ctx, "end upload", func(ctx context.Context) error {
		db := s.db.Write(ctx)
		ended := db.Exec(`UPDATE attachments SET state = ?, digest = ?, upload_until = 0
			WHERE id = ? AND state = 'pending' AND upload_until = ?`, string(state), digest, id.String(), toMicros(until))
		if ended.Error != nil || ended.RowsAffected == 1 {
			return ended.Error
		}
		return lostUpload(db, id)
	})
}

// DeleteAttachment implements [chat.Store]. It keeps the lease of an upload,
// whose end the sweep waits for.
func (s *Store) DeleteAttachment(ctx context.Context, userID string, id uuid.UUID) error {
	return s.db.Do(ctx, "delete attachment", func(ctx context.Context) error {
		db := s.db.Write(ctx)
		deleted := db.Exec(`UPDATE attachments SET state = 'deleted'
			WHERE id = ? AND user_id = ? AND state <> 'deleted' AND item_id IS NULL`, id.String(), userID)
		if deleted.Error != nil || deleted.RowsAffected == 1 {
			return deleted.Error
		}
		row, err := readAttachment(db, id)
		if err != nil {
			return err
		}
		if row.UserID != userID {
			return chat.ErrForbiddenAttachment()
		}
		return chat.ErrAttachmentSent()
	})
}

// sendAttachments makes attachments part of a message. It locks them in the order
// of their ids, so that two messages with the same attachments cannot deadlock.
func sendAttachments(tx *gorm.DB, userID string, message chat.Item) error {
	inOrder := slices.SortedFunc(slices.Values(message.Attachments), func(a, b chat.Attachment) int {
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	for _, a := range inOrder {
		sent := tx.Exec(`UPDATE attachments SET session_id = ?, item_id = ?
			WHERE id = ? AND user_id = ? AND state = 'stored' AND item_id IS NULL`,
			message.SessionID.String(), message.ID.String(), a.ID.String(), userID)
		if sent.Error != nil {
			return sent.Error
		}
		if sent.RowsAffected == 1 {
			continue
		}
		row, err := readAttachment(tx, a.ID)
		switch {
		case err != nil:
			return err
		case row.UserID != userID:
			return chat.ErrForbiddenAttachment()
		case row.State != string(chat.AttachmentStored):
			return chat.ErrAttachmentNotUploaded()
		}
		return chat.ErrAttachmentSent()
	}
	return nil
}

// The rows without a session are few and have their own index. The order is
// random, so that contents that cannot be deleted do not block the others.
const (
	sweepUpdate = `UPDATE attachments SET state = 'deleted' WHERE id IN (
		SELECT id FROM attachments WHERE session_id IS NULL AND upload_until <= `
	sweepOrder = ` AND (state = 'deleted' OR item_id IS NOT NULL OR created_at < ?)
		ORDER BY random() LIMIT CAST(? AS bigint)`
	sweepReturn   = `) AND session_id IS NULL RETURNING id`
	sweepPostgres = sweepUpdate + postgresNow + sweepOrder + ` FOR UPDATE SKIP LOCKED` + sweepReturn
	sweepSQLite   = sweepUpdate + sqliteNow + sweepOrder + sweepReturn
)

// SweepAttachments implements [chat.Store].
func (s *Store) SweepAttachments(ctx context.Context, unsentBefore time.Time, limit int) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	err := s.db.Do(ctx, "sweep attachments", func(ctx context.Context) (err error) {
		statement := sweepSQLite
		if s.db.Driver() == database.PostgreSQL {
			statement = sweepPostgres
		}
		ids, err = readRows(s.db.Write(ctx).Raw(statement, toMicros(unsentBefore), limit),
			func(id *uuid.UUID) []any { return []any{id} })
		// RETURNING has the order of the table.
		rand.Shuffle(len(ids), func(a, b int) { ids[a], ids[b] = ids[b], ids[a] }) //nolint:gosec // The order is no secret.
		return err
	})
	return ids, err
}

// ForgetAttachments implements [chat.Store].
func (s *Store) ForgetAttachments(ctx context.Context, ids []uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	texts := make([]string, len(ids))
	for n, id := range ids {
		texts[n] = id.String()
	}
	return s.db.Do(ctx, "forget attachments", func(ctx context.Context) error {
		return s.db.Write(ctx).Exec(`DELETE FROM attachments WHERE state = 'deleted' AND id IN (?)`, texts).Error
	})
}
