// Package demo stands in for OpenRouter, so that the service can be tried
// without an account. It speaks OpenRouter's HTTP API on loopback: the client
// that talks to it is the one that talks to the real thing. No model is behind
// it; fixed rules answer from the messages of the request alone, and commands
// such as "/cut" show how the real upstream fails.
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
	// ReadablePace is a pause between words that people can read along with:
	// 25 words a second.
	ReadablePace = 40 * time.Millisecond
	// NoPace sends the words as fast as they are read.
	NoPace time.Duration = -1
)

// Model is the name the answers carry, whatever model was asked for.
const Model = "chatkit-rest/demo"

const (
	apiPath = "/api/v1"
	// closeBound is how long Close waits for connections that have sent no
	// request yet; answers in progress end at once.
	closeBound        = time.Second
	readHeaderTimeout = 10 * time.Second
)

// Options is how the demo behaves.
type Options struct {
	// Pace is the pause before each word: ReadablePace when it is zero. "/slow"
	// waits in multiples of it.
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
// The end of ctx does not stop it: a service that drains its runs needs its
// upstream to the last. It fails when loopback has no free port.
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
		// Ending ctx ends every answer in progress.
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go s.run(ctx, listener)
	return s, nil
}

// URL is the base URL of the API, for OPENROUTER_BASE_URL.
func (s *Server) URL() string { return s.url }

// Key is the only key the demo accepts, for OPENROUTER_API_KEY. It is made
// anew by each Start.
func (s *Server) Key() string { return s.key }

// Streams is the number of answers being written now. It falls as soon as a
// client leaves.
func (s *Server) Streams() int { return int(s.streams.Load()) }

// Close ends every answer and waits until all is down. It may be called more
// than once.
func (s *Server) Close() {
	s.stop()
	<-s.done
}

func (s *Server) run(ctx context.Context, listener net.Listener) {
	defer close(s.done)
	served := make(chan struct{})
	go func() {
		defer close(served)
		// It always ends with an error, and only once run closes it.
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
