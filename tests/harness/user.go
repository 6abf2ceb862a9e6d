package harness

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness/contract"
)

// User sends requests with a user's token.
type User struct {
	Sub   string
	Token string
	// API is the generated client.
	API *client.ClientWithResponses

	t      testing.TB
	server *Server
	http   *http.Client
}

// User returns a new user.
func (s *Server) User(tb testing.TB) *User {
	tb.Helper()
	return s.UserNamed(tb, "user-"+strings.ToLower(rand.Text()))
}

// UserNamed returns the user with the sub.
func (s *Server) UserNamed(tb testing.TB, sub string) *User {
	tb.Helper()
	u := &User{Sub: sub, Token: Token(tb, s.Secret, sub), t: tb, server: s, http: s.HTTP(tb)}
	api, err := client.NewClientWithResponses(s.URL, client.WithHTTPClient(u.http),
		client.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
			request.Header.Set("Authorization", "Bearer "+u.Token)
			return nil
		}))
	if err != nil {
		tb.Fatalf("create a client: %v", err)
	}
	u.API = api
	return u
}

// HTTP returns a client without a token. A response that violates the contract
// fails the test.
func (s *Server) HTTP(tb testing.TB) *http.Client {
	tb.Helper()
	return s.HTTPOver(tb, s.transport)
}

// HTTPFrom is HTTP with a local address of the loopback range, so that tests which
// share a server do not share its rate limit.
func (s *Server) HTTPFrom(tb testing.TB, address string) *http.Client {
	tb.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	transport := &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 128}
	tb.Cleanup(transport.CloseIdleConnections)
	return s.HTTPOver(tb, transport)
}

// HTTPOver is HTTP with the given transport.
func (s *Server) HTTPOver(tb testing.TB, transport http.RoundTripper) *http.Client {
	tb.Helper()
	return &http.Client{
		Transport: contract.Transport(tb, contract.Options{
			Next: transport, RateLimited: s.env["RATE_LIMIT_PER_MINUTE"] != "0", Secrets: s.secrets(),
		}),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// secrets returns the texts that an error response must not contain.
func (s *Server) secrets() []string {
	secrets := []string{s.Secret, s.Upstream.Key, s.DatabaseURL, s.folder, UpstreamSecret}
	database, err := url.Parse(s.DatabaseURL)
	if err != nil {
		return secrets
	}
	if password, ok := database.User.Password(); ok && password != "" {
		secrets = append(secrets, password)
	}
	return append(secrets, path.Base(database.Path))
}

// UpstreamSecret is a text for error responses of the upstream. An error response
// of the server must not contain it.
const UpstreamSecret = "upstream-raw-text-7d1f"

// Context returns a context that ends with the test or after WaitTimeout.
func (u *User) Context() context.Context { return contextOf(u.t) }

func contextOf(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), WaitTimeout)
	tb.Cleanup(cancel)
	return ctx
}

// CreateSession creates a session and returns its id.
func (u *User) CreateSession() uuid.UUID {
	u.t.Helper()
	answer, err := u.API.CreateSessionWithResponse(u.Context(), client.CreateSessionRequest{})
	if err != nil {
		u.t.Fatalf("create a session: %v", err)
	}
	if answer.JSON200 == nil {
		u.t.Fatalf("create a session: %s: %s", answer.Status(), answer.Body)
	}
	return answer.JSON200.Data.ID
}

// Session returns a session with its messages.
func (u *User) Session(id uuid.UUID) client.Session {
	u.t.Helper()
	answer, err := u.API.GetSessionWithResponse(u.Context(), id)
	if err != nil {
		u.t.Fatalf("get session: %v", err)
	}
	if answer.JSON200 == nil {
		u.t.Fatalf("get session: %s: %s", answer.Status(), answer.Body)
	}
	return answer.JSON200.Data
}

// Sessions returns the first page of the user's sessions.
func (u *User) Sessions() client.SessionListResponse {
	u.t.Helper()
	answer, err := u.API.ListSessionsWithResponse(u.Context(), nil)
	if err != nil {
		u.t.Fatalf("list sessions: %v", err)
	}
	if answer.JSON200 == nil {
		u.t.Fatalf("list sessions: %s: %s", answer.Status(), answer.Body)
	}
	return *answer.JSON200
}

// DeleteSession deletes a session.
func (u *User) DeleteSession(id uuid.UUID) {
	u.t.Helper()
	answer, err := u.API.DeleteSessionWithResponse(u.Context(), id)
	if err != nil {
		u.t.Fatalf("delete session: %v", err)
	}
	if answer.JSON200 == nil {
		u.t.Fatalf("delete session: %s: %s", answer.Status(), answer.Body)
	}
}
