// Package demo replaces OpenRouter, so that the service can be tried without an
// account. It serves OpenRouter's HTTP API on loopback, to the same client that
// talks to OpenRouter. There is no model: fixed rules answer from the messages of
// the request, and commands such as "/cut" show how the real upstream fails.
//
// The shapes follow https://openrouter.ai/docs/api-reference (streaming, errors,
// usage accounting, get current key).
package demo

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// ReadablePace is the pause between words at a speed that people can read:
	// 25 words a second.
	ReadablePace = 40 * time.Millisecond
	// NoPace sends the words as fast as the client reads them.
	NoPace time.Duration = -1
)

// Model is the model that answers name, whatever the request asks for.
const Model = "chatkit-rest/demo"

const (
	apiPath = "/api/v1"
	// closeBound is how long Close waits for connections that have sent no
	// request yet; answers in progress end at once.
	closeBound        = time.Second
	readHeaderTimeout = 10 * time.Second
)

// Options configure the demo.
type Options struct {
	// Pace is the pause before each word; zero is ReadablePace. "/slow" waits
	// multiples of it.
	Pace time.Duration
}

// Server is a running demo. Its methods may be called by any goroutine.
type Server struct {
	url     string
	key     string
	pace    time.Duration
	http    *http.Server
	stop    context.CancelFunc
	done    chan struct{}
	streams atomic.Int64
}

// Start listens on a free port of 127.0.0.1 and serves until Close is called.
// The end of ctx does not stop it, because a service that waits for its last runs
// needs its upstream. Returns an error if loopback has no free port.
func Start(ctx context.Context, options Options) (*Server, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("demo upstream: listen on loopback: %w", err)
	}
	if options.Pace == 0 {
		options.Pace = ReadablePace
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &Server{
		url:  "http://" + listener.Addr().String() + apiPath,
		key:  "sk-or-demo-" + rand.Text(),
		pace: max(options.Pace, 0),
		stop: stop,
		done: make(chan struct{}),
	}
	s.http = &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: readHeaderTimeout,
		// The end of ctx ends every answer in progress.
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go s.run(ctx, listener)
	return s, nil
}

// URL is the base URL of the API, for OPENROUTER_BASE_URL.
func (s *Server) URL() string { return s.url }

// Key is the only key the demo accepts, for OPENROUTER_API_KEY. Each Start makes
// a new one.
func (s *Server) Key() string { return s.key }

// Streams returns the number of answers in progress. A client that disconnects
// ends its answer at once.
func (s *Server) Streams() int { return int(s.streams.Load()) }

// Close ends every answer and waits until the server has stopped. It may be
// called more than once.
func (s *Server) Close() {
	s.stop()
	<-s.done
}

func (s *Server) run(ctx context.Context, listener net.Listener) {
	defer close(s.done)
	served := make(chan struct{})
	go func() {
		defer close(served)
		// Serve returns an error always, and only after run closes the server.
		_ = s.http.Serve(listener)
	}()
	<-ctx.Done()
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeBound)
	defer cancel()
	if err := s.http.Shutdown(bound); err != nil {
		_ = s.http.Close()
	}
	<-served
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST "+apiPath+"/chat/completions", s.requireKey(s.complete))
	mux.Handle("GET "+apiPath+"/key", s.requireKey(s.describeKey))
	// As with OpenRouter, the list of models is public.
	mux.HandleFunc("GET "+apiPath+"/models", listModels)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, refusal{status: http.StatusNotFound, message: "Not Found"})
	})
	return mux
}

func (s *Server) requireKey(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || key == "" {
			refuse(w, refusal{status: http.StatusUnauthorized, message: "Missing Authentication header"})
			return
		}
		if subtle.ConstantTimeCompare([]byte(key), []byte(s.key)) != 1 {
			refuse(w, refusal{status: http.StatusUnauthorized, message: "User not found."})
			return
		}
		next(w, r)
	})
}
