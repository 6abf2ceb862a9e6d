package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCanMakeIn(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	for place, can := range map[string]bool{
		folder: true, filepath.Join(folder, "a", "b"): true, file: false, filepath.Join(file, "a"): false,
	} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		err := canMakeIn(place)
		if can != (err == nil) {
			t.Errorf("%s: %v", place, err)
		}
		if err != nil && strings.Contains(err.Error(), folder) {
			t.Errorf("the error tells the path: %v", err)
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("it left %v (error %v)", left, err)
	}
}
