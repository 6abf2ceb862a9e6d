package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// StartThread implements [chat.Store].
func (s *Store) StartThread(
	ctx context.Context, session chat.Session, maxPerUser int, start chat.NewRun,
) (chat.StartedRun, error) {
	if maxPerUser < 1 {
		return chat.StartedRun{}, chat.ErrSessionLimit(maxPerUser)
	}
	session.Title, session.MessageCount, session.UpdatedAt = start.Title, 1, start.Message.CreatedAt
	err := s.do(ctx, "start thread", func(ctx context.Context) error {
		if s.driver == PostgreSQL && len(start.Message.Attachments) == 0 {
			return startThreadPostgres(s.write.WithContext(ctx), session, maxPerUser, start)
		}
		return s.transact(ctx, func(tx *gorm.DB) error { return startThread(tx, session, maxPerUser, start) })
	})
	if err != nil {
		return chat.StartedRun{}, err
	}
	titled := session.Title != ""
	return chat.StartedRun{Session: session, TitleSet: titled, TitleCut: titled}, nil
}

func startThread(tx *gorm.DB, session chat.Session, maxPerUser int, start chat.NewRun) error {
	if err := createSession(tx, session, maxPerUser); err != nil {
		return err
	}
	if err := insertRun(tx, start.Run); err != nil {
		return err
	}
	inserted, err := insertItem(tx, start.Message, firstPosition)
	if err == nil && !inserted {
		err = safeError("the id of the message is taken")
	}
	if err != nil {
		return err
	}
	return sendAttachments(tx, start.UserID, start.Message)
}

const firstPosition = 1
