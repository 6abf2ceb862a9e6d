package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
)

func TestOpenSQLiteMakesFolder(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a/b/chatkit.db", "with space/ü?&%#'.db", "plain.db"} {
		path := filepath.Join(t.TempDir(), "new", filepath.FromSlash(name))
		s := open(t, store.Config{Driver: store.SQLite, Path: path})
		session := chat.Session{ID: uuid.New(), UserID: "alice", CreatedAt: time.Now(), UpdatedAt: time.Now()}
		if err := s.CreateSession(t.Context(), session, 1); err != nil {
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
	open(t, store.Config{Driver: store.SQLite, Path: "data/chatkit.db"})
	if _, err := os.Stat("data/chatkit.db"); err != nil {
		t.Error(err)
	}
}

// TestReadOnlySQLite: a read-only store creates and changes nothing: no file, no
// table, and not the journal mode of a file.
func TestReadOnlySQLite(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*testing.T, store.Config){
		"nothing":    func(*testing.T, store.Config) {},
		"empty file": func(t *testing.T, c store.Config) { t.Helper(); writeEmpty(t, c.Path) },
		// A backup is in this mode.
		"rollback journal": func(t *testing.T, c store.Config) {
			t.Helper()
			execute(t, openDatabase(t, c), "CREATE TABLE foreign_to_us (n integer)")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			c := store.Config{Driver: store.SQLite, Path: filepath.Join(folder, "chatkit.db"), ReadOnly: true}
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
func readPendingAndClose(t *testing.T, c store.Config) {
	t.Helper()
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	status, err := s.MigrationStatus(t.Context())
	if err != nil || len(status) == 0 {
		t.Errorf("%d migrations, error %v", len(status), err)
	}
	for _, migration := range status {
		if !migration.AppliedAt.IsZero() {
			t.Errorf("%s is applied", migration.Name)
		}
	}
	if _, err := s.ServerVersion(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Migrate(t.Context()); err == nil {
		t.Error("a read-only store could be migrated")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestReopen: what was written is there when the database is opened again.
func TestReopen(t *testing.T) {
	t.Parallel()
	for _, d := range databases() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			c := d.config(t)
			first := open(t, c)
			at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
			session := chat.Session{ID: uuid.New(), UserID: "alice", Title: "Kept", CreatedAt: at, UpdatedAt: at}
			if err := first.CreateSession(t.Context(), session, 1); err != nil {
				t.Fatal(err)
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := openBare(t, c).Session(t.Context(), "alice", session.ID)
			if err != nil || got != session {
				t.Errorf("got %+v, error %v; want %+v", got, err, session)
			}
		})
	}
}

const secret = "s3cr3t-value"

// wantDiscreet checks that an error contains nothing of a connection string.
func wantDiscreet(t *testing.T, err error, words ...string) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, word := range append(words, secret) {
			if strings.Contains(fmt.Sprintf("%+v", e), word) {
				t.Errorf("error %q holds %q", e, word)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, secret+".txt")
	if err := os.WriteFile(file, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	valid, err := url.Parse(server.AdminURL())
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
		config store.Config
		code   chat.Code
		text   string
	}{
		{"no driver", store.Config{}, "", "postgres"},
		{"unknown driver", store.Config{Driver: "oracle"}, "", "oracle"},
		{"SQLite without a path", store.Config{Driver: store.SQLite}, "", "empty"},
		{"SQLite below a file", store.Config{Driver: store.SQLite, Path: filepath.Join(file, "x.db")}, "", "folder"},
		{"SQLite at a folder", store.Config{Driver: store.SQLite, Path: folder}, "", "SQLite file"},
		{"SQLite at another file", store.Config{Driver: store.SQLite, Path: file}, "", "no SQLite database"},
		{
			"PostgreSQL with a bad URL",
			store.Config{Driver: store.PostgreSQL, DSN: "postgres://user:" + secret + "@host:port/x"},
			"", "not valid",
		},
		{
			"PostgreSQL with another password",
			store.Config{Driver: store.PostgreSQL, DSN: changed(func(u *url.URL) { u.User = url.UserPassword("postgres", secret) })},
			chat.CodeServiceUnavailable, "password",
		},
		{
			"PostgreSQL without the database",
			store.Config{Driver: store.PostgreSQL, DSN: changed(func(u *url.URL) { u.Path = "/" + secret })},
			chat.CodeServiceUnavailable, "no database of this name",
		},
		{
			"PostgreSQL without a server",
			store.Config{Driver: store.PostgreSQL, DSN: "postgres://" + secret + ":" + secret + "@127.0.0.1:1/" + secret},
			chat.CodeServiceUnavailable, "refused",
		},
		{
			"PostgreSQL at no host",
			store.Config{Driver: store.PostgreSQL, DSN: "postgres://x:" + secret + "@" + secret + ".invalid/x"},
			chat.CodeServiceUnavailable, "host name",
		},
		{
			"PostgreSQL without TLS where it is asked for",
			store.Config{Driver: store.PostgreSQL, DSN: changed(func(u *url.URL) { u.RawQuery = "sslmode=require" })},
			chat.CodeServiceUnavailable, "TLS",
		},
	} {
		s, err := store.Open(t.Context(), test.config)
		if err == nil {
			t.Errorf("%s: opened", test.name)
			_ = s.Close()
			continue
		}
		if got := chat.CodeOf(err); got != test.code {
			t.Errorf("%s: code %q, want %q", test.name, got, test.code)
		}
		if !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: error %q does not hold %q", test.name, err, test.text)
		}
		wantDiscreet(t, err, folder, valid.Host)
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
	_, err = store.Open(ctx, store.Config{Driver: store.PostgreSQL, DSN: dsn})
	if chat.CodeOf(err) != chat.CodeServiceUnavailable {
		t.Errorf("error %v, want %s", err, chat.CodeServiceUnavailable)
	}
	wantDiscreet(t, err, listener.Addr().String())
}

func TestPing(t *testing.T) {
	t.Parallel()
	for _, d := range databases() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			c := d.config(t)
			s := openBare(t, c)
			if err := s.Ping(t.Context()); err != nil {
				t.Errorf("ping: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := s.Ping(t.Context()); chat.CodeOf(err) != chat.CodeServiceUnavailable {
				t.Errorf("ping of a closed store: %v", err)
			}
			if _, err := s.MigrationsPending(t.Context()); chat.CodeOf(err) != chat.CodeServiceUnavailable {
				t.Errorf("migrations of a closed store: %v", err)
			}
			if err := s.Migrate(t.Context()); chat.CodeOf(err) != chat.CodeServiceUnavailable {
				t.Errorf("migrate of a closed store: %v", err)
			}
		})
	}
}

// TestServerVersion: each database returns the version of its program.
func TestServerVersion(t *testing.T) {
	t.Parallel()
	for _, database := range databases() {
		t.Run(database.name, func(t *testing.T) {
			t.Parallel()
			version, err := openBare(t, database.config(t)).ServerVersion(t.Context())
			if err != nil || version == "" || version[0] < '1' || version[0] > '9' {
				t.Errorf("version %q (%v)", version, err)
			}
		})
	}
}
