package verify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckCanCreate(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	for path, want := range map[string]bool{
		folder: true, filepath.Join(folder, "a", "b"): true, file: false, filepath.Join(file, "a"): false,
	} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		err := checkCanCreate(path)
		if want != (err == nil) {
			t.Errorf("%s: %v", path, err)
		}
		if err != nil && strings.Contains(err.Error(), folder) {
			t.Errorf("the error contains the path: %v", err)
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("the folder has the files %v (error %v), want only the test's", left, err)
	}
}
