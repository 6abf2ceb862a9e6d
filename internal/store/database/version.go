package database

import (
	"context"
)

// ServerVersion is the version of the database program, such as "15.18" or
// "3.53.4". Returns chat.ErrStoreUnavailable if the database cannot be reached.
func (db *DB) ServerVersion(ctx context.Context) (string, error) {
	question := "SELECT current_setting('server_version')"
	if db.driver == SQLite {
		question = "SELECT sqlite_version()"
	}
	var version string
	err := db.Do(ctx, "server version", func(ctx context.Context) error {
		return db.Read(ctx).Raw(question).Scan(&version).Error
	})
	return version, err
}
