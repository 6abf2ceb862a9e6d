package chat

import (
	"time"

	"github.com/google/uuid"
)

// Session is what the ChatKit protocol calls a thread: a user's exchange of
// messages with the assistant. Its id is also its thread's id.
type Session struct {
	ID     uuid.UUID
	UserID string
	// Title is empty until the first user message.
	Title        string
	CreatedAt    time.Time
	UpdatedAt    time.Time
	MessageCount int
}

// SessionQuery asks for a page of a user's sessions, newest UpdatedAt first.
type SessionQuery struct {
	Limit int
	// Ascending is oldest UpdatedAt first.
	Ascending bool
	// After is the last session of the page before; nil asks for the first page.
	After *SessionCursor
}

// SessionCursor is a place in the order of a user's sessions.
type SessionCursor struct {
	UpdatedAt time.Time
	ID        uuid.UUID
}

// SessionPage is a page of a user's sessions.
type SessionPage struct {
	Sessions []Session
	// Total counts all the user's sessions, not the page's.
	Total   int
	HasMore bool
}
