package postgres

import (
	"os"
	"path/filepath"
	"time"
)

const (
	lockName = "lock"
	// abandonedAfter is the age of an abandoned folder. A younger one may still be
	// in the making.
	abandonedAfter = 5 * time.Minute
)

// removeAbandonedFolders removes the folders of killed tests. Their postgres has
// ended and their lock is free.
func removeAbandonedFolders() {
	folders, err := filepath.Glob(filepath.Join(os.TempDir(), folderPrefix+"*"))
	if err != nil {
		return
	}
	for _, folder := range folders {
		info, err := os.Stat(folder)
		if err != nil || time.Since(info.ModTime()) < abandonedAfter {
			continue
		}
		if unlock, ok := tryLockFile(filepath.Join(folder, lockName)); ok {
			_ = os.RemoveAll(folder) // Another user's folder cannot be removed.
			unlock()
		}
	}
}
