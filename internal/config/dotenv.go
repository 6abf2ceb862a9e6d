package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/joho/godotenv"
)

const maxDotenvBytes = 64 << 10

// Getenv returns a function that looks a variable up with getenv, and then in the
// file of NAME=value lines at dotenvPath. The file is used only for variables that
// getenv returns as empty. In the file, $NAME is expanded from the lines above;
// single quotes prevent that. The file may be missing. The names are those of the
// file's variables. The error names the file and the line, never its content.
func Getenv(dotenvPath string, getenv func(string) string) (_ func(string) string, names []string, _ error) {
	content, err := os.ReadFile(dotenvPath) //nolint:gosec // the operator's own path
	if errors.Is(err, fs.ErrNotExist) {
		return getenv, nil, nil
	}

	if err != nil {
		return nil, nil, fmt.Errorf("read the settings file: %w", err)
	}

	if len(content) > maxDotenvBytes {
		return nil, nil, fmt.Errorf("the settings file %s has %d bytes: at most %d are read", dotenvPath, len(content), maxDotenvBytes)
	}

	content = bytes.TrimPrefix(content, []byte("\ufeff")) // some editors write a byte order mark

	values, err := godotenv.UnmarshalBytes(content)
	if err != nil {
		// The parser's error contains parts of the file, so it is not wrapped.
		return nil, nil, fmt.Errorf("the settings file %s cannot be read from line %d on: write each line as NAME=value, "+
			"quote values with spaces or quotes in them, and close every quote", dotenvPath, firstBadLine(content))
	}

	return func(name string) string {
		if value := getenv(name); value != "" {
			return value
		}

		return values[name]
	}, slices.Collect(maps.Keys(values)), nil
}

// firstBadLine returns the number of the line, from 1, after the longest prefix of
// whole lines that can be parsed.
func firstBadLine(content []byte) int {
	lines := bytes.SplitAfter(content, []byte("\n"))
	for good := len(lines) - 1; good > 0; good-- {
		if _, err := godotenv.UnmarshalBytes(bytes.Join(lines[:good], nil)); err == nil {
			return good + 1
		}
	}

	return 1
}
