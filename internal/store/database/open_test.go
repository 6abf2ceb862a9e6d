package database_test

import (
	"context"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database/databasetest"
)

func TestOpenSQLiteMakesFolder(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a/b/chatkit.db", "with space/ü?&%#'.db", "plain.db"} {
		path := filepath.Join(t.TempDir(), "new", filepath.FromSlash(name))
		db := databasetest.OpenMigrated(t, database.Config{Driver: database.SQLite, Path: path})
		if err := db.Write(t.Context()).Exec("INSERT INTO users VALUES ('alice', 0)").Error; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantMode(t, path, 0o600)
		wantMode(t, path+"-wal", 0o600)
		wantMode(t, filepath.Dir(path), 0o700)
	}
}

func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Error(err)
		return
	}
	if got := info.Mode().Perm(); got != want {
		t.Errorf("%s has mode %o, want %o", filepath.Base(path), got, want)
	}
}

func TestOpenRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	databasetest.OpenMigrated(t, database.Config{Driver: database.SQLite, Path: "data/chatkit.db"})
	if _, err := os.Stat("data/chatkit.db"); err != nil {
		t.Error(err)
	}
}

// TestReadOnlySQLite: a read-only store creates and changes nothing: no file, no
// table, and not the journal mode of a file.
func TestReadOnlySQLite(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*testing.T, database.Config){
		"nothing":    func(*testing.T, database.Config) {},
		"empty file": func(t *testing.T, c database.Config) { t.Helper(); writeEmpty(t, c.Path) },
		// A backup is in this mode.
		"rollback journal": func(t *testing.T, c database.Config) {
			t.Helper()
			databasetest.Execute(t, databasetest.OpenSQL(t, c), "CREATE TABLE foreign_to_us (n integer)")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			c := database.Config{Driver: database.SQLite, Path: filepath.Join(folder, "chatkit.db"), ReadOnly: true}
			begin(t, c)
			before := contents(t, folder)
			readPendingAndClose(t, c)
			if after := contents(t, folder); !maps.Equal(after, before) {
				t.Errorf("the folder had %d files, and has %d or others", len(before), len(after))
			}
		})
	}
}

func writeEmpty(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// contents returns the contents of the files of a folder, by name.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(folder, file.Name())) //nolint:gosec // a file of the test
		if err != nil {
			t.Fatal(err)
		}
		all[file.Name()] = string(content)
	}
	return all
}

// readPendingAndClose checks that every migration is pending and that none can be
// applied.
func readPendingAndClose(t *testing.T, c database.Config) {
	t.Helper()
	db, err := database.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	status, err := db.MigrationStatus(t.Context())
	if err != nil || len(status) == 0 {
		t.Errorf("%d migrations, error %v", len(status), err)
	}
	for _, migration := range status {
		if !migration.AppliedAt.IsZero() {
			t.Errorf("%s is applied", migration.Name)
		}
	}
	if _, err := db.ServerVersion(t.Context()); err != nil {
		t.Error(err)
	}
	if err := db.Migrate(t.Context()); err == nil {
		t.Error("a read-only store could be migrated")
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, secret+".txt")
	if err := os.WriteFile(file, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	valid, err := url.Parse(databasetest.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	changed := func(change func(u *url.URL)) string {
		u := *valid
		change(&u)
		return u.String()
	}
	for _, test := range []struct {
		name   string
		config database.Config
		code   chat.Code
		text   string
	}{
		{"no driver", database.Config{}, "", "postgres"},
		{"unknown driver", database.Config{Driver: "oracle"}, "", "oracle"},
		{"SQLite without a path", database.Config{Driver: database.SQLite}, "", "empty"},
		{"SQLite below a file", database.Config{Driver: database.SQLite, Path: filepath.Join(file, "x.db")}, "", "folder"},
		{"SQLite at a folder", database.Config{Driver: database.SQLite, Path: folder}, "", "SQLite file"},
		{"SQLite at another file", database.Config{Driver: database.SQLite, Path: file}, "", "no SQLite database"},
		{
			"PostgreSQL with a bad URL",
			database.Config{Driver: database.PostgreSQL, DSN: "postgres://user:" + secret + "@host:port/x"},
			"", "not valid",
		},
		{
			"PostgreSQL with another password",
			database.Config{Driver: database.PostgreSQL, DSN: changed(func(u *url.URL) { u.User = url.UserPassword("postgres", secret) })},
			chat.CodeServiceUnavailable, "password",
		},
		{
			"PostgreSQL without the database",
			database.Config{Driver: database.PostgreSQL, DSN: changed(func(u *url.URL) { u.Path = "/" + secret })},
			chat.CodeServiceUnavailable, "no database of this name",
		},
		{
			"PostgreSQL without a server",
			database.Config{Driver: database.PostgreSQL, DSN: "postgres://" + secret + ":" + secret + "@127.0.0.1:1/" + secret},
			chat.CodeServiceUnavailable, "refused",
		},
		{
			"PostgreSQL at no host",
			database.Config{Driver: database.PostgreSQL, DSN: "postgres://x:" + secret + "@" + secret + ".invalid/x"},
			chat.CodeServiceUnavailable, "host name",
		},
		{
			"PostgreSQL without TLS where it is asked for",
			database.Config{Driver: database.PostgreSQL, DSN: changed(func(u *url.URL) { u.RawQuery = "sslmode=require" })},
			chat.CodeServiceUnavailable, "TLS",
		},
	} {
		db, err := database.Open(t.Context(), test.config)
		if err == nil {
			t.Errorf("%s: opened", test.name)
			_ = db.Close()
			continue
		}
		if got := chat.CodeOf(err); got != test.code {
			t.Errorf("%s: code %q, want %q", test.name, got, test.code)
		}
		if !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: error %q does not hold %q", test.name, err, test.text)
		}
		databasetest.WantDiscreet(t, err, folder, valid.Host)
	}
}

// A server that accepts the connection and sends nothing does not delay the caller
// longer than its context.
func TestOpenSilentServer(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // the end of the test
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	dsn := "postgres://u:" + secret + "@" + listener.Addr().String() + "/x?sslmode=disable"
	_, err = database.Open(ctx, database.Config{Driver: database.PostgreSQL, DSN: dsn})
	if chat.CodeOf(err) != chat.CodeServiceUnavailable {
		t.Errorf("error %v, want %s", err, chat.CodeServiceUnavailable)
	}
	databasetest.WantDiscreet(t, err, listener.Addr().String())
}

func TestPing(t *testing.T) {
	t.Parallel()
	for _, d := range databasetest.Kinds() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			c := d.Config(t)
			db := databasetest.Open(t, c)
			if err := db.Ping(t.Context()); err != nil {
				t.Errorf("ping: %v", err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if err := db.Ping(t.Context()); chat.CodeOf(err) != chat.CodeServiceUnavailable {
				t.Errorf("ping of a closed store: %v", err)
			}
			if _, err := db.MigrationsPending(t.Context()); chat.CodeOf(err) != chat.CodeServiceUnavailable {
				t.Errorf("migrations of a closed store: %v", err)
			}
			if err := db.Migrate(t.Context()); chat.CodeOf(err) != chat.CodeServiceUnavailable {
				t.Errorf("migrate of a closed store: %v", err)
			}
		})
	}
}

// TestServerVersion: each database returns the version of its program.
func TestServerVersion(t *testing.T) {
	t.Parallel()
	for _, d := range databasetest.Kinds() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			version, err := databasetest.Open(t, d.Config(t)).ServerVersion(t.Context())
			if err != nil || version == "" || version[0] < '1' || version[0] > '9' {
				t.Errorf("version %q (%v)", version, err)
			}
		})
	}
}
