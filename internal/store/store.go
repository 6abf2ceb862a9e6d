package store

import (
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
)

// Store is a [chat.Store] in a database. It may be used concurrently.
type Store struct{ db *database.DB }

var _ chat.Store = (*Store)(nil)

// New returns the store in a database whose migrations are applied. The caller
// closes the database.
func New(db *database.DB) *Store { return &Store{db} }
