package verify

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// isMissingSQLite reports whether the database is a SQLite file that does not
// exist.
func isMissingSQLite(database config.Database) bool {
	return database.Driver == config.SQLite && !exists(database.Path)
}

// exists returns true if it cannot find out: the code that uses the file then
// reports the error.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// checkCanCreate checks that a file can be created in a folder, which may have to
// be created too. It creates a file in the nearest folder that exists, and removes
// it: no other test covers all permissions and file systems.
func checkCanCreate(folder string) error {
	for !exists(folder) && filepath.Dir(folder) != folder {
		folder = filepath.Dir(folder)
	}
	file, err := os.CreateTemp(folder, ".chatkit-rest-*")
	if err != nil {
		return withoutPath(err)
	}
	return withoutPath(errors.Join(file.Close(), os.Remove(file.Name())))
}

// withoutPath removes the path from a file error, since it is part of DATABASE_URL.
func withoutPath(err error) error {
	if err == nil {
		return nil
	}
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathError.Err
	}
	return fmt.Errorf("the nearest existing folder is not writable: %w", err)
}
