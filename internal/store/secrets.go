package store

import (
	"context"
	"crypto/rand"

	"gorm.io/gorm"
)

// Secret returns the random value of a name, 128 bits or more. The first call
// makes the value; it then is the same for every replica and after every restart.
func (s *Store) Secret(ctx context.Context, name string) (string, error) {
	var value string
	err := s.db.InTransaction(ctx, "read secret", func(tx *gorm.DB) error {
		made := tx.Exec(`INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, rand.Text())
		if made.Error != nil {
			return made.Error
		}
		return tx.Raw(`SELECT value FROM secrets WHERE name = ?`, name).Row().Scan(&value)
	})
	return value, err
}
