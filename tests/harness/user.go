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
)

// User sends requests with a token of its own.
type User struct {
	Sub   string
	Token string
	// API is the generated client.
	API *client.ClientWithResponses

	t      testing.TB
	server *Server
	http   *http.Client
}

// User returns a user that is new to the server.
func (s *Server) User(tb testing.TB) *User {
	tb.Helper()
	return s.UserNamed(tb, "user-"+strings.ToLower(rand.Text()))
}

// UserNamed is the user with this sub.
func (s *Server) UserNamed(tb testing.TB, sub string) *User {
	tb.Helper()
	u := &User{Sub: sub, Token: Token(tb, s.Secret, sub), t: tb, server: s, http: s.HTTP(tb)}
	api, err := client.NewClientWithResponses(s.URL, client.WithHTTPClient(u.http),
		client.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
			request.Header.Set("Authorization", "Bearer "+u.Token)
			return nil
		}))
	if err != nil {
		tb.Fatalf("make a client: %v", err)
	}
	u.API = api
	return u
}

// HTTP returns a client without a token. The test fails for every answer that
// differs from the contract.
func (s *Server) HTTP(tb testing.TB) *http.Client {
	tb.Helper()
	return s.HTTPOver(tb, s.transport)
}

// HTTPFrom is HTTP with a local address of the loopback range, so that tests of one
// server do not use up each other's requests.
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
	contract, err := theContract()
	if err != nil {
		tb.Fatal(err)
	}
	return &http.Client{
		Transport: &validator{
			next: transport, t: tb, contract: contract,
			limited: s.env["RATE_LIMIT_PER_MINUTE"] != "0", secrets: s.secrets(),
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// secrets returns texts that no failure may contain.
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

// UpstreamSecret is a word for the text of upstream's failures. No failure of
// the server may contain it.
const UpstreamSecret = "upstream-raw-text-7d1f"

// Context returns a context that ends with the test or after Patience.
func (u *User) Context() context.Context { return contextOf(u.t) }

func contextOf(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), Patience)
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
