package postgres

import (
	"os"
	"path/filepath"
	"time"
)

const (
	lockName = "lock"
	// leftAfter keeps a folder that is being made from being taken for one
	// that was left.
	leftAfter = 5 * time.Minute
)

// removeLeftFolders removes the folders of tests that were killed: their
// postgres died with them, and no one holds their lock.
func removeLeftFolders() {
	folders, err := filepath.Glob(filepath.Join(os.TempDir(), folderPrefix+"*"))
	if err != nil {
		return
	}
	for _, folder := range folders {
		info, err := os.Stat(folder)
		if err != nil || time.Since(info.ModTime()) < leftAfter {
			continue
		}
		if unlock, ok := tryLockFile(filepath.Join(folder, lockName)); ok {
			_ = os.RemoveAll(folder) // Another user's folder stays.
			unlock()
		}
	}
}
