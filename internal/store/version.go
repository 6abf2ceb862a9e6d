package store

import (
	"context"
)

// ServerVersion is the version of the database program, such as "15.18" or
// "3.53.4". Returns chat.ErrStoreUnavailable if the database is out of reach.
func (s *Store) ServerVersion(ctx context.Context) (string, error) {
	question := "SELECT current_setting('server_version')"
	if s.driver == SQLite {
		question = "SELECT sqlite_version()"
	}
	var version string
	err := s.do(ctx, "server version", func(ctx context.Context) error {
		return s.read.WithContext(ctx).Raw(question).Scan(&version).Error
	})
	return version, err
}
