package web_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/web"
)

func TestPlaygroundHasItsOptions(t *testing.T) {
	t.Parallel()
	plain := ask(t, routesOf(t, web.Options{MessageChars: 42}), http.MethodGet, "/", nil).Body.String()
	if !strings.Contains(plain, `data-demo="no" data-message-chars="42"`) {
		t.Errorf("the page of a server that is no demo: %s", plain)
	}
	demo := web.Options{MessageChars: 500, DemoToken: func() (string, error) { return "signed", nil }}
	if page := ask(t, routesOf(t, demo), http.MethodGet, "/", nil).Body.String(); !strings.Contains(page, `data-demo="yes"`) {
		t.Errorf("the page of a demo: %s", page)
	}
}

func TestDemoTokenOnlyForItsOwnPage(t *testing.T) {
	t.Parallel()
	if routes(t)["/demo-token"] != nil {
		t.Fatal("a server that is no demo has the path")
	}
	tests := []struct {
		name, host, peer, site, dest string
		status                       int
	}{
		{"the page", "127.0.0.1:8080", "127.0.0.1:5000", "same-origin", "empty", http.StatusOK},
		{"by name", "localhost:8080", "127.0.0.1:5000", "same-origin", "empty", http.StatusOK},
		{"IPv6", "[::1]:8080", "[::1]:5000", "same-origin", "empty", http.StatusOK},
		{"port 80", "[::1]", "[::1]:5000", "same-origin", "empty", http.StatusOK},
		{"another machine", "127.0.0.1:8080", "192.0.2.7:5000", "same-origin", "empty", http.StatusForbidden},
		{"DNS rebinding", "rebound.example:8080", "127.0.0.1:5000", "same-origin", "empty", http.StatusForbidden},
		{"no name", "", "127.0.0.1:5000", "same-origin", "empty", http.StatusForbidden},
		{"another site", "127.0.0.1:8080", "127.0.0.1:5000", "cross-site", "empty", http.StatusForbidden},
		{"another port", "127.0.0.1:8080", "127.0.0.1:5000", "same-site", "empty", http.StatusForbidden},
		{"a page", "127.0.0.1:8080", "127.0.0.1:5000", "same-origin", "document", http.StatusForbidden},
		{"no browser", "127.0.0.1:8080", "127.0.0.1:5000", "", "", http.StatusForbidden},
	}
	site := routesOf(t, web.Options{DemoToken: func() (string, error) { return "signed", nil }})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/demo-token", nil)
			request.Host, request.RemoteAddr = test.host, test.peer
			request.Header.Set("Sec-Fetch-Site", test.site)
			request.Header.Set("Sec-Fetch-Dest", test.dest)
			recorder := httptest.NewRecorder()
			site["/demo-token"].ServeHTTP(recorder, request)
			if recorder.Code != test.status {
				t.Errorf("status %d, want %d", recorder.Code, test.status)
			}
			if got := strings.Contains(recorder.Body.String(), "signed"); got != (test.status == http.StatusOK) {
				t.Errorf("body %s", recorder.Body)
			}
			if got := recorder.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q", got)
			}
		})
	}
}

func TestDemoTokenRefusesProxies(t *testing.T) {
	t.Parallel()
	site := routesOf(t, web.Options{DemoToken: func() (string, error) { return "signed", nil }})
	// An empty header comes from a proxy too.
	for _, value := range []string{"127.0.0.1", ""} {
		for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "Via"} {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/demo-token", nil)
			request.Host, request.RemoteAddr = "localhost:8080", "127.0.0.1:5000"
			request.Header.Set("Sec-Fetch-Site", "same-origin")
			request.Header.Set("Sec-Fetch-Dest", "empty")
			request.Header.Set(name, value)
			recorder := httptest.NewRecorder()
			site["/demo-token"].ServeHTTP(recorder, request)
			body := recorder.Body.String()
			if recorder.Code != http.StatusForbidden || strings.Contains(body, "signed") || !strings.Contains(body, "FORBIDDEN") {
				t.Errorf("%s: %q: status %d, body %s", name, value, recorder.Code, body)
			}
		}
	}
}

func TestDemoTokenCreationFails(t *testing.T) {
	t.Parallel()
	site := routesOf(t, web.Options{DemoToken: func() (string, error) { return "", errors.New("inner") }})
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/demo-token", nil)
	request.Host, request.RemoteAddr = "localhost", "127.0.0.1:5000"
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	request.Header.Set("Sec-Fetch-Dest", "empty")
	recorder := httptest.NewRecorder()
	site["/demo-token"].ServeHTTP(recorder, request)
	if recorder.Code != http.StatusInternalServerError || strings.Contains(recorder.Body.String(), "inner") {
		t.Errorf("status %d, body %s", recorder.Code, recorder.Body)
	}
	post := ask(t, site, http.MethodPost, "/demo-token", nil)
	if post.Code != http.StatusMethodNotAllowed || post.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: status %d, Allow %q", post.Code, post.Header().Get("Allow"))
	}
}
