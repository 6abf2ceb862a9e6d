package store

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// CreateSession implements [chat.Store].
func (s *Store) CreateSession(ctx context.Context, session chat.Session, maxPerUser int) error {
	if maxPerUser < 1 {
		return chat.ErrSessionLimit(maxPerUser)
	}
	return s.db.InTransaction(ctx, "create session", func(tx *gorm.DB) error {
		return createSession(tx, session, maxPerUser)
	})
}

// countSession adds a session to its user's count, and locks the user's row, so
// that concurrent creates of one user wait for each other. It changes no row
// where the user holds as many as allowed.
const countSession = `INSERT INTO users (id, session_count) VALUES (?, 1)
		ON CONFLICT (id) DO UPDATE SET session_count = users.session_count + 1
		WHERE users.session_count < ?`

func createSession(tx *gorm.DB, session chat.Session, maxPerUser int) error {
	counted := tx.Exec(countSession, session.UserID, maxPerUser)
	if counted.Error != nil {
		return counted.Error
	}
	if counted.RowsAffected == 0 {
		return chat.ErrSessionLimit(maxPerUser)
	}
	return tx.Exec(`INSERT INTO sessions (`+sessionColumns+`) VALUES (?, ?, NULLIF(?, ''), ?, ?, ?, ?, ?)`,
		sessionArgs(session)...).Error
}

// sessionArgs are the values of sessionColumns of a new session. If it has a
// message, that is its only one and gave the title.
func sessionArgs(session chat.Session) []any {
	var titlePosition *int
	if session.Title != "" && session.MessageCount > 0 {
		titlePosition = &session.MessageCount
	}
	return []any{
		session.ID.String(), session.UserID, session.Title, titlePosition, session.MessageCount, session.MessageCount,
		toMicros(session.CreatedAt), toMicros(session.UpdatedAt),
	}
}

// Session implements [chat.Store].
func (s *Store) Session(ctx context.Context, userID string, id uuid.UUID) (chat.Session, error) {
	var session chat.Session
	err := s.db.Do(ctx, "read session", func(ctx context.Context) error {
		row, err := readSession(s.db.Read(ctx), userID, id)
		session = toChatSession(row)
		return err
	})
	if err != nil {
		return chat.Session{}, err
	}
	return session, nil
}

const sessionSelect = `SELECT ` + sessionColumns + ` FROM sessions WHERE id = ? AND user_id = ?`

// readSession reads a session of the user's.
func readSession(db *gorm.DB, userID string, id uuid.UUID) (sessionRow, error) {
	rows, err := readRows(db.Raw(sessionSelect, id.String(), userID), sessionFields)
	if err != nil {
		return sessionRow{}, err
	}
	if len(rows) == 0 {
		return sessionRow{}, sessionError(db, userID, id)
	}
	return rows[0], nil
}

// sessionOf reads a session of any user.
func sessionOf(db *gorm.DB, id uuid.UUID) (chat.Session, error) {
	rows, err := readRows(db.Raw(`SELECT `+sessionColumns+` FROM sessions WHERE id = ?`, id.String()), sessionFields)
	if err != nil {
		return chat.Session{}, err
	}
	if len(rows) == 0 {
		return chat.Session{}, chat.ErrSessionNotFound()
	}
	return toChatSession(rows[0]), nil
}

// sessionError returns the reason why a query by user and id found no session.
// It is always an error.
func sessionError(db *gorm.DB, userID string, id uuid.UUID) error {
	session, err := sessionOf(db, id)
	if err != nil {
		return err
	}
	if session.UserID == userID {
		return chat.ErrSessionNotFound() // It was created after that query.
	}
	return chat.ErrForbidden()
}

// listRow is a session of a page and the user's number of sessions. One statement
// reads both, so that they agree.
type listRow struct {
	Session sessionRow
	Total   int
}

func listFields(r *listRow) []any {
	return []any{
		&r.Session.ID, &r.Session.Title, &r.Session.MessageCount, &r.Session.CreatedAt, &r.Session.UpdatedAt, &r.Total,
	}
}

const (
	listSelect = `SELECT id, title, message_count, created_at, updated_at,
		(SELECT session_count FROM users WHERE id = ?) FROM sessions WHERE user_id = ?`
	listAfter = ` AND (updated_at, id) < (?, ?)`
	// Without the cast SQLite plans the statement again for each limit.
	listOrder = ` ORDER BY updated_at DESC, id DESC LIMIT CAST(? AS bigint)`
	listUp    = ` ORDER BY updated_at, id LIMIT CAST(? AS bigint)`
	listAbove = ` AND (updated_at, id) > (?, ?)`
	listTotal = `SELECT session_count FROM users WHERE id = ?`
)

// ListSessions implements [chat.Store].
func (s *Store) ListSessions(ctx context.Context, userID string, q chat.SessionQuery) (chat.SessionPage, error) {
	var page chat.SessionPage
	err := s.db.Do(ctx, "list sessions", func(ctx context.Context) error {
		db := s.db.Read(ctx)
		q.Limit = max(q.Limit, 0)
		statement, args := listStatement(userID, q)
		rows, err := readRows(db.Raw(statement, args...), listFields)
		if err != nil {
			return err
		}
		page = toChatPage(userID, rows, q.Limit)
		if len(rows) == 0 && q.After != nil {
			// There was no row to hold the count.
			page.Total, err = readNumber(db.Raw(listTotal, userID))
		}
		return err
	})
	if err != nil {
		return chat.SessionPage{}, err
	}
	return page, nil
}

// listStatement selects one session more than the page holds, which shows
// whether there is another page.
func listStatement(userID string, q chat.SessionQuery) (string, []any) {
	order, beyond := listOrder, listAfter
	if q.Ascending {
		order, beyond = listUp, listAbove
	}
	if q.After == nil {
		return listSelect + order, []any{userID, userID, q.Limit + 1}
	}
	return listSelect + beyond + order,
		[]any{userID, userID, toMicros(q.After.UpdatedAt), q.After.ID.String(), q.Limit + 1}
}

func toChatPage(userID string, rows []listRow, limit int) chat.SessionPage {
	page := chat.SessionPage{HasMore: len(rows) > limit}
	if len(rows) > 0 {
		page.Total = rows[0].Total
	}
	rows = rows[:min(len(rows), limit)]
	page.Sessions = make([]chat.Session, len(rows))
	for n, row := range rows {
		row.Session.UserID = userID
		page.Sessions[n] = toChatSession(row.Session)
	}
	return page
}

// DeleteSession implements [chat.Store].
func (s *Store) DeleteSession(ctx context.Context, userID string, id uuid.UUID) error {
	return s.db.InTransaction(ctx, "delete session", func(tx *gorm.DB) error {
		deleted := tx.Exec(`DELETE FROM sessions WHERE id = ? AND user_id = ?`, id.String(), userID)
		if deleted.Error != nil {
			return deleted.Error
		}
		if deleted.RowsAffected == 0 {
			return sessionError(tx, userID, id)
		}
		return tx.Exec(`UPDATE users SET session_count = session_count - 1 WHERE id = ?`, userID).Error
	})
}
