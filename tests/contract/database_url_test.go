package contract_test

import (
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestDatabaseURLFaultsAreNamed checks that every command that opens the
// database names the wrong part of DATABASE_URL and prints no password.
func TestDatabaseURLFaultsAreNamed(t *testing.T) {
	t.Parallel()
	database, err := url.Parse(harness.NewDatabase(t, harness.Postgres))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	noCertificate := filepath.Join(folder, "empty.pem")
	if err := os.WriteFile(noCertificate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	place := database.Host + database.Path
	for name, test := range map[string]struct {
		url  string
		says []string
	}{
		"raw @ in the password":      {"postgresql://bob:" + hidden + "@x@" + place, []string{"@", "%40"}},
		"raw / in the password":      {"postgresql://bob:" + hidden + "/x@" + place, []string{"/", "%2F"}},
		"schema":                     {withParameters(database, "schema=app"), []string{"schema", "search_path"}},
		"keepalives":                 {withParameters(database, "keepalives=1"), []string{"keepalives", "remove"}},
		"unknown parameter":          {withParameters(database, "no_such_parameter=1"), []string{"no_such_parameter", "remove"}},
		"unknown, in capitals":       {withParameters(database, "noSuchParameter=1"), []string{"noSuchParameter", "remove"}},
		"wrong value for the server": {withParameters(database, "statement_timeout=soon"), []string{"statement_timeout"}},
		"wrong value for the driver": {withParameters(database, "connect_timeout=soon"), []string{"connect_timeout"}},
		"wrong kind of server":       {withParameters(database, "target_session_attrs=best"), []string{"target_session_attrs"}},
		"missing CA file":            {withParameters(database, "sslmode=verify-full&sslrootcert="+folder+"/ca.pem"), []string{"sslrootcert", "no such file"}},
		"CA file without content":    {withParameters(database, "sslmode=prefer&sslrootcert="+noCertificate), []string{"sslrootcert"}},
		"missing key file": {
			withParameters(database, "sslmode=prefer&sslcert="+noCertificate+"&sslkey="+folder+"/key.pem"), []string{"sslkey", "no such file"},
		},
		"key file without content": {withParameters(database, "sslmode=prefer&sslcert="+noCertificate+"&sslkey="+noCertificate), []string{"sslkey"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := harness.Settings(test.url, goodSecret, harness.NewUpstream(t))
			for _, command := range [][]string{{"verify-env"}, {"migrate", "status"}} {
				result := harness.Execute(t, env, command...)
				checkRefused(t, result, env, "DATABASE_URL")
				for _, word := range test.says {
					if !strings.Contains(result.Output(), word) {
						t.Errorf("%s does not say %q: %s", command, word, result.Output())
					}
				}
				if strings.Contains(result.Output(), hidden) {
					t.Errorf("%s shows the password: %s", command, result.Output())
				}
			}
		})
	}
}

// TestDatabaseURLForms checks that the server accepts the URLs that libpq
// accepts.
func TestDatabaseURLForms(t *testing.T) {
	t.Parallel()
	database, err := url.Parse(harness.NewDatabase(t, harness.Postgres))
	if err != nil {
		t.Fatal(err)
	}
	folder := socketTo(t, database.Host)
	for name, databaseURL := range map[string]string{
		"encoded folder of a socket":   "postgresql://" + database.User.String() + "@" + url.QueryEscape(folder) + database.Path,
		"folder of a socket as host":   "postgresql://" + database.User.String() + "@" + database.Path + "?host=" + folder,
		"scheme in capitals":           "POSTGRESQL" + strings.TrimPrefix(database.String(), database.Scheme),
		"second host":                  "postgresql://" + database.User.String() + "@127.0.0.1:1," + database.Host + database.Path,
		"parameters of the server":     withParameters(database, "search_path=public&TimeZone=UTC&statement_timeout=60000"),
		"encoded value of a parameter": withParameters(database, "options=-c%20statement_timeout%3D60000"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"DATABASE_URL": databaseURL}
			wantSuccess(t, harness.Execute(t, env, "migrate", "status"))
		})
	}
}

// TestPasswordsBesideSocketsAreHidden checks that no output shows a password of a
// URL that names a socket instead of a host, whether the URL is refused, leads
// nowhere, or leads to a server that refuses the password.
func TestPasswordsBesideSocketsAreHidden(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	server, err := url.Parse(harness.NewDatabase(t, harness.Postgres))
	if err != nil {
		t.Fatal(err)
	}
	socket := socketTo(t, server.Host)
	for _, test := range []struct{ setting, value string }{
		{"DATABASE_URL", "postgres:///db?host=" + folder + "&password=" + hidden},
		{"DATABASE_URL", "postgres:///db?host=" + folder + "&user=bob&password=" + hidden + "%20x"},
		{"DATABASE_URL", "postgres:///db?host=" + folder + "&PASSWORD=" + hidden},
		{"DATABASE_URL", "postgres:///db?host=" + folder + "&password=" + hidden + "%zz"},
		{"DATABASE_URL", "postgres:///db?host=" + folder + "&password=" + hidden + "&" + hidden + "=1"},
		{"DATABASE_URL", "postgres:///db?host=" + folder + "&sslcert=/none&sslkey=/none&sslpassword=" + hidden},
		{"DATABASE_URL", "postgres://bob:" + hidden + "@/db?host=" + folder},
		{"DATABASE_URL", "postgres://bob:" + hidden + "@" + url.QueryEscape(folder) + "/db"},
		{"DATABASE_URL", "postgres://bob:" + hidden + "@" + folder + "/db"},
		{"DATABASE_URL", "postgres:///db?host=" + socket + "&user=nobody&password=" + hidden},
		{"DATABASE_URL", "bob:" + hidden + "@/db?host=" + folder},
		{"DATABASE_URL", "host=" + folder + " user=bob password=" + hidden + " dbname=db"},
		{"DATABASE_URL", "postgres://host=" + folder + " password=" + hidden + " dbname=db"},
		{"DATABASE_URL", "sqlite:///data/chat.db?password=" + hidden},
		{"DATABASE_URL", "sqlite://bob:" + hidden + "@/data/chat.db"},
		{"REDIS_URL", "unix://bob:" + hidden + "@/run/redis.sock"},
		{"REDIS_URL", "unix:///run/redis.sock?password=" + hidden},
		{"REDIS_URL", "redis+socket://:" + hidden + "@/run/redis.sock"},
		{"REDIS_URL", "redis://:" + hidden + "@/run/redis.sock"},
		{"REDIS_URL", "redis://:" + hidden + "@%2Frun%2Fredis.sock/0"},
		{"REDIS_URL", "redis:///0?password=" + hidden},
		{"REDIS_URL", "/run/redis.sock password=" + hidden},
	} {
		t.Run(test.value, func(t *testing.T) {
			t.Parallel()
			env := harness.Settings(harness.NewDatabase(t, harness.SQLite), goodSecret, harness.NewUpstream(t))
			env[test.setting] = test.value
			for _, command := range [][]string{{"verify-env"}, {"serve"}} {
				checkRefused(t, harness.Execute(t, env, command...), env, test.setting)
			}
			if result := harness.Execute(t, env, "migrate", "status"); strings.Contains(result.Output(), hidden) {
				t.Errorf("migrate status shows the password: %s", result.Output())
			}
		})
	}
}

// withParameters adds parameters to a database's URL.
func withParameters(database *url.URL, parameters string) string {
	if database.RawQuery != "" {
		parameters = database.RawQuery + "&" + parameters
	}
	longer := *database
	longer.RawQuery = parameters
	return longer.String()
}

// socketTo returns the folder of a Unix socket that leads to a PostgreSQL.
func socketTo(t *testing.T, address string) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "chatkit-rest-socket-") //nolint:usetesting // a socket's path has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "unix", filepath.Join(folder, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = listener.Close()
		_ = os.RemoveAll(folder)
	})
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go relay(client, address)
		}
	}()
	return folder
}

// relay copies both ways between a client and an address until one closes.
func relay(client net.Conn, address string) {
	server, err := net.Dial("tcp", address) //nolint:noctx // it lives as long as its client
	if err == nil {
		go func() {
			_, _ = io.Copy(server, client)
			_ = server.Close()
		}()
		_, _ = io.Copy(client, server)
	}
	_ = client.Close()
}
