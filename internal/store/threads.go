package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
)

// StartThread implements [chat.Store].
func (s *Store) StartThread(
	ctx context.Context, session chat.Session, maxPerUser int, start chat.NewRun,
) (chat.StartedRun, error) {
	if maxPerUser < 1 {
		return chat.StartedRun{}, chat.ErrSessionLimit(maxPerUser)
	}
	session.Title, session.MessageCount, session.UpdatedAt = start.Title, 1, start.Message.CreatedAt
	err := s.db.Do(ctx, "start thread", func(ctx context.Context) error {
		if s.db.Driver() == database.PostgreSQL && len(start.Message.Attachments) == 0 {
			return startThreadPostgres(s.db.Write(ctx), session, maxPerUser, start)
		}
		return s.db.Transact(ctx, func(tx *gorm.DB) error { return startThread(tx, session, maxPerUser, start) })
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
		err = database.SafeError("the id of the message is taken")
	}
	if err != nil {
		return err
	}
	return sendAttachments(tx, start.UserID, start.Message)
}

const firstPosition = 1
