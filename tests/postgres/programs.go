package postgres

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// programs are the paths of the distribution's binaries.
type programs struct {
	initdb   string
	postgres string
}

var errNotInstalled = errors.New("PostgreSQL is not installed: the tests need its programs initdb and postgres; " +
	"install it (Debian: apt-get install postgresql; macOS: brew install postgresql), " +
	"or set " + AdminURLVariable + " to the URL of a server whose user may create databases")

// findPrograms finds the programs, or installs them if it may.
func findPrograms(ctx context.Context) (programs, error) {
	if found, ok := lookPrograms(); ok {
		return found, nil
	}
	if !mayInstall() {
		return programs{}, errNotInstalled
	}
	installed := func() bool {
		_, ok := lookPrograms()
		return ok
	}
	if err := install(ctx, "postgresql", installed); err != nil {
		return programs{}, errors.Join(errNotInstalled, err)
	}
	if found, ok := lookPrograms(); ok {
		return found, nil
	}
	return programs{}, errNotInstalled
}

var errNoPgBouncer = errors.New("PgBouncer is not installed: the tests need its program pgbouncer; " +
	"install it (Debian: apt-get install pgbouncer; macOS: brew install pgbouncer)")

// findPgBouncer returns the program's path. It installs the program if it may.
func findPgBouncer(ctx context.Context) (string, error) {
	look := func() (string, bool) {
		for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
			if path, err := exec.LookPath(name); err == nil {
				return path, true
			}
		}
		return "", false
	}
	if path, ok := look(); ok {
		return path, nil
	}
	if !mayInstall() {
		return "", errNoPgBouncer
	}
	installed := func() bool {
		_, ok := look()
		return ok
	}
	if err := install(ctx, "pgbouncer", installed); err != nil {
		return "", errors.Join(errNoPgBouncer, err)
	}
	if path, ok := look(); ok {
		return path, nil
	}
	return "", errNoPgBouncer
}

// usualFolders are the folders of distributions like Debian, which are not in
// PATH.
var usualFolders = []string{
	"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
}

// lookPrograms searches PATH, then the usual folders, newest version first.
func lookPrograms() (programs, bool) {
	folders := []string{}
	if path, err := exec.LookPath("postgres"); err == nil {
		folders = append(folders, realFolder(path))
	}
	for _, pattern := range usualFolders {
		found, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
		folders = append(folders, found...)
	}
	for _, folder := range folders {
		p := programs{initdb: filepath.Join(folder, "initdb"), postgres: filepath.Join(folder, "postgres")}
		if executable(p.initdb) && executable(p.postgres) {
			return p, true
		}
	}
	return programs{}, false
}

// realFolder resolves links, because initdb looks for postgres in its own
// folder.
func realFolder(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	return filepath.Dir(path)
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

var digits = regexp.MustCompile(`\d+`)

// version returns the version in a folder's name, or 0.
func version(folder string) int {
	n, err := strconv.Atoi(digits.FindString(folder))
	if err != nil {
		return 0
	}
	return n
}
