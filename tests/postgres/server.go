package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// AdminURLVariable names the environment variable with the URL of a server to
// use instead of a throw-away one. Its user must be allowed to create
// databases.
const AdminURLVariable = "TEST_DATABASE_URL_ADMIN"

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 20 * time.Second
	pollInterval = 20 * time.Millisecond
)

// Server is a PostgreSQL server for tests. It may be used concurrently.
type Server struct {
	adminURL string
	cluster  *cluster // nil for a server of AdminURLVariable

	mu      sync.Mutex
	created []string // databases to drop on a server of AdminURLVariable
}

// Option changes how a throw-away server is started.
type Option func(*options)

type options struct {
	durable bool
}

// Durable makes the server wait for the disk as one in production does. By
// default fsync and full_page_writes are off, which a test can notice by the
// speed only.
func Durable() Option { return func(o *options) { o.durable = true } }

// Tests is a [testing.M] or a wrapper of one.
type Tests interface{ Run() int }

// Main starts a server, passes it to use, runs the tests and stops it. It
// returns the exit code for os.Exit, which is 1 if no server can be started.
func Main(m Tests, use func(*Server)) int {
	server, err := Start(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	use(server)
	code := m.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// Start starts a throw-away server or uses the one of AdminURLVariable. It
// installs PostgreSQL if it is missing and this is root on Debian. The server
// runs until Stop, even if ctx ends.
func Start(ctx context.Context, opts ...Option) (*Server, error) {
	if adminURL := os.Getenv(AdminURLVariable); adminURL != "" {
		return &Server{adminURL: adminURL}, nil
	}
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout+installTimeout)
	defer cancel()
	programs, err := findPrograms(ctx)
	if err != nil {
		return nil, err
	}
	c, err := startCluster(ctx, programs, o)
	if err != nil {
		return nil, fmt.Errorf("start a PostgreSQL for tests: %w", err)
	}
	return &Server{adminURL: c.url("postgres"), cluster: c}, nil
}

// NewDatabase creates an empty database and returns its URL.
func (s *Server) NewDatabase(ctx context.Context) (string, error) {
	name := "test_" + rand.Text()
	if err := s.execute(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return "", fmt.Errorf("create a database for a test: %w", err)
	}
	if s.cluster == nil {
		s.mu.Lock()
		s.created = append(s.created, name)
		s.mu.Unlock()
	}
	u, err := url.Parse(s.adminURL)
	if err != nil {
		return "", errors.New(AdminURLVariable + " is not a URL; write postgresql://user:password@host:5432/postgres")
	}
	u.Path = "/" + name
	return u.String(), nil
}

// AdminURL returns the URL of the server's own database for a superuser.
func (s *Server) AdminURL() string { return s.adminURL }

// Stop stops the server and removes its files. On a server of AdminURLVariable
// it drops the databases that it created.
func (s *Server) Stop() error {
	if s.cluster != nil {
		return s.cluster.stop()
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	var failed error
	for _, name := range s.created {
		drop := "DROP DATABASE IF EXISTS " + pgx.Identifier{name}.Sanitize() + " WITH (FORCE)"
		failed = errors.Join(failed, s.execute(ctx, drop))
	}
	s.created = nil
	return failed
}

func (s *Server) execute(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.adminURL)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}
