package harness

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Upstream is a fake OpenRouter over HTTP. It answers a question with the script
// that the test set for it, or with DefaultScript.
type Upstream struct {
	// URL is the API's base URL.
	URL string
	// Key is the API key that it accepts.
	Key string

	server *httptest.Server
	closed chan struct{} // ends waiting scripts
	once   sync.Once

	mu        sync.Mutex
	requests  []*UpstreamRequest
	arrived   chan struct{} // closed and replaced by each request
	scripts   map[string][]Script
	keyStatus int
	models    []string // nil: no list
}

// UpstreamRequest is a request that the upstream received.
type UpstreamRequest struct {
	Header http.Header
	// Raw is the body as generic JSON.
	Raw map[string]any
	// Body is the body as a ChatRequest.
	Body ChatRequest

	disconnected chan struct{}
	done         chan struct{}
}

// Disconnected is closed when the client disconnects before the end of the answer.
func (r *UpstreamRequest) Disconnected() <-chan struct{} { return r.disconnected }

// Done is closed when the script of the answer has ended, for whatever reason.
func (r *UpstreamRequest) Done() <-chan struct{} { return r.done }

// NewUpstream starts an upstream, which is stopped when the test ends.
func NewUpstream(tb testing.TB) *Upstream {
	tb.Helper()
	u := &Upstream{
		Key:       "sk-or-v1-" + strings.ToLower(rand.Text()),
		closed:    make(chan struct{}),
		arrived:   make(chan struct{}),
		scripts:   make(map[string][]Script),
		keyStatus: http.StatusOK,
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/chat/completions", u.complete)
	mux.HandleFunc("GET /api/v1/key", u.serveKey)
	mux.HandleFunc("GET /api/v1/models", u.serveModels)
	u.server = httptest.NewServer(mux)
	u.URL = u.server.URL + "/api/v1"
	tb.Cleanup(func() {
		u.release()
		u.server.CloseClientConnections()
		u.server.Close()
	})
	return u
}

// release ends every waiting script.
func (u *Upstream) release() { u.once.Do(func() { close(u.closed) }) }

// Answer sets the scripts for a question. The first request with the question gets
// the first script, and so on; the last script answers all further requests. The
// last paragraph of a question must not be another question.
func (u *Upstream) Answer(question string, scripts ...Script) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.scripts[question] = scripts
}

// SetKeyStatus sets the status with which the upstream answers GET /key.
func (u *Upstream) SetKeyStatus(status int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.keyStatus = status
}

// Requests returns the requests with the question, oldest first.
func (u *Upstream) Requests(question string) []*UpstreamRequest {
	requests, _ := u.matching(question)
	return requests
}

// Count returns the number of received requests.
func (u *Upstream) Count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.requests)
}

// Await waits for a request with the question and returns the first one.
func (u *Upstream) Await(tb testing.TB, question string) *UpstreamRequest {
	tb.Helper()
	deadline := time.After(WaitTimeout)
	for {
		requests, arrived := u.matching(question)
		if len(requests) > 0 {
			return requests[0]
		}
		select {
		case <-arrived:
		case <-deadline:
			tb.Fatalf("the question %q did not reach the upstream within %s", question, WaitTimeout)
		}
	}
}

func (u *Upstream) matching(question string) ([]*UpstreamRequest, <-chan struct{}) {
	u.mu.Lock()
	defer u.mu.Unlock()
	var found []*UpstreamRequest
	for _, request := range u.requests {
		if request.HasQuestion(question) {
			found = append(found, request)
		}
	}
	return found, u.arrived
}

// record stores a request and returns its script.
func (u *Upstream) record(request *UpstreamRequest) Script {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.requests = append(u.requests, request)
	close(u.arrived)
	u.arrived = make(chan struct{})
	for question, scripts := range u.scripts {
		if len(scripts) == 0 || !request.HasQuestion(question) {
			continue
		}
		if len(scripts) > 1 {
			u.scripts[question] = scripts[1:]
		}
		return scripts[0]
	}
	return DefaultScript()
}

func (u *Upstream) complete(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // The client disconnected.
	}
	request := &UpstreamRequest{
		Header: r.Header.Clone(), disconnected: make(chan struct{}), done: make(chan struct{}),
	}
	if json.Unmarshal(body, &request.Raw) != nil || json.Unmarshal(body, &request.Body) != nil {
		http.Error(w, `{"error":{"code":400,"message":"bad body"}}`, http.StatusBadRequest)
		return
	}
	script := u.record(request)
	defer close(request.done)
	if r.Header.Get("Authorization") != "Bearer "+u.Key {
		http.Error(w, `{"error":{"code":401,"message":"bad key"}}`, http.StatusUnauthorized)
		return
	}
	x := &exchange{w: w, r: r, closed: u.closed}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-r.Context().Done():
			close(request.disconnected)
		case <-ended:
		}
	}()
	for _, step := range script {
		if !step(x) {
			return
		}
	}
}

// serveKey serves GET /key.
func (u *Upstream) serveKey(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	status := u.keyStatus
	u.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+u.Key {
		status = http.StatusUnauthorized
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	answer := `{"data":{"label":"test","limit":null,"limit_remaining":null,"usage":0,"is_free_tier":false}}`
	if status != http.StatusOK {
		answer = `{"error":{"code":401,"message":"User not found."}}`
	}
	_, _ = io.WriteString(w, answer) // Writing fails only if the client has disconnected.
}
