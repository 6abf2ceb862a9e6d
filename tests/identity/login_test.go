package identity_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// resource returns this server's name at the identity server. Its tokens are
// signed with the algorithm.
func resource(algorithm string) string { return "urn:chat:" + algorithm }

// callback is the redirect URI of the app. No server listens there.
const callback = "http://127.0.0.1/callback"

// tokens is the answer of the token endpoint.
type tokens struct {
	Access string `json:"access_token"`
	ID     string `json:"id_token"`
}

// backendToken returns a token that a program gets for itself.
func (p *provider) backendToken(t *testing.T, algorithm string) string {
	t.Helper()
	return p.token(t, http.DefaultClient, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"backend"}, "client_secret": {"backend-secret"},
		"scope": {"chat"}, "resource": {resource(algorithm)},
	}).Access
}

// login returns the tokens of an app: an authorization code with PKCE, after
// the login as alice and the consent on the identity server's pages.
func (p *provider) login(t *testing.T, algorithm string) tokens {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(next *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(next.URL.String(), callback) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	verifier := rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	query := url.Values{
		"client_id": {"app"}, "response_type": {"code"}, "redirect_uri": {callback}, "scope": {"openid chat"},
		"resource": {resource(algorithm)}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}
	page := p.visit(t, browser, http.MethodGet, p.Issuer+"/auth?"+query.Encode(), nil)
	page = p.visit(t, browser, http.MethodPost, page.String(), url.Values{"prompt": {"login"}, "login": {"alice"}, "password": {"x"}})
	back := p.visit(t, browser, http.MethodPost, page.String(), url.Values{"prompt": {"consent"}})
	code := back.Query().Get("code")
	if code == "" {
		t.Fatalf("the login ended at %s", back)
	}
	return p.token(t, browser, url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"app"}, "code": {code}, "redirect_uri": {callback},
		"code_verifier": {verifier}, "resource": {resource(algorithm)},
	})
}

// visit requests a page and returns where it redirects: to another page or to
// the app.
func (p *provider) visit(t *testing.T, browser *http.Client, method, to string, form url.Values) *url.URL {
	t.Helper()
	got := p.send(t, browser, method, to, form)
	if got.location != nil {
		return got.location
	}
	if got.status != http.StatusOK {
		t.Fatalf("%s answers %d %s", to, got.status, got.body)
	}
	return got.page
}

func (p *provider) token(t *testing.T, client *http.Client, form url.Values) tokens {
	t.Helper()
	answer := p.send(t, client, http.MethodPost, p.Issuer+"/token", form)
	var got tokens
	if err := json.Unmarshal(answer.body, &got); err != nil || answer.status != http.StatusOK || got.Access == "" {
		t.Fatalf("the token endpoint answers %d %s", answer.status, answer.body)
	}
	return got
}

// answer is an answer of the identity server.
type answer struct {
	status int
	// page was requested last; location, if not nil, is its redirect.
	page, location *url.URL
	body           []byte
}

func (p *provider) send(t *testing.T, client *http.Client, method, to string, form url.Values) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := answer{status: response.StatusCode, page: response.Request.URL, body: body}
	if location, err := response.Location(); err == nil {
		got.location = location
	}
	return got
}
