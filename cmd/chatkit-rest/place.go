package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// isMissing says whether a SQLite file is still to be made.
func isMissing(database config.Database) bool {
	return database.Driver == config.SQLite && !exists(database.Path)
}

// exists is true of what cannot be looked at too: that is for its user to tell.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// canMakeIn sees whether a file can be made in a folder, or the folder where it
// is missing: it makes a file in the nearest folder that is there, and removes
// it. Nothing less tells of every right and file system.
func canMakeIn(folder string) error {
	for !exists(folder) && filepath.Dir(folder) != folder {
		folder = filepath.Dir(folder)
	}
	file, err := os.CreateTemp(folder, ".chatkit-rest-*")
	if err != nil {
		return cannotMake(err)
	}
	return cannotMake(errors.Join(file.Close(), os.Remove(file.Name())))
}

// cannotMake tells a file error without its path, which is part of DATABASE_URL.
func cannotMake(err error) error {
	if err == nil {
		return nil
	}
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathError.Err
	}
	return fmt.Errorf("the nearest folder that is there cannot be written in: %w", err)
}
