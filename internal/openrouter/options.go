package openrouter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// DefaultBaseURL is OpenRouter's API.
const DefaultBaseURL = "https://openrouter.ai/api/v1"

// The time-outs of a [Client] whose options name none.
const (
	DefaultFirstByteTimeout = 60 * time.Second
	DefaultIdleTimeout      = 60 * time.Second
)

// Options say which provider a [Client] asks, and how long it waits.
type Options struct {
	// BaseURL is the API's address, with or without a slash at its end; empty
	// means [DefaultBaseURL].
	BaseURL string
	// Key is sent as a bearer token; empty sends none.
	Key string
	// Model is asked when a request names none.
	Model string
	// FallbackModels are tried in this order when the model that is asked does
	// not answer: OpenRouter's "models" (see its documentation, "Model
	// Fallbacks"; it takes three at most). They follow a model that the request
	// names as they follow Model, because whoever picks a model wants an answer
	// too; the asked model itself is left out. None: not sent.
	FallbackModels []string
	// MaxTokens bounds an answer, the model's reasoning included; zero sends no
	// bound.
	MaxTokens int
	// SiteURL and AppName attribute the requests (HTTP-Referer, X-Title);
	// empty ones are not sent.
	SiteURL string
	AppName string
	// UserAgent names this server; empty means "chatkit-rest".
	UserAgent string
	// FirstByteTimeout bounds the wait for the first byte of an answer, over
	// all tries; zero means [DefaultFirstByteTimeout].
	FirstByteTimeout time.Duration
	// IdleTimeout bounds the silence between two reads of an answer; zero
	// means [DefaultIdleTimeout]. There is no bound on an answer as a whole:
	// its context has that.
	IdleTimeout time.Duration
	// Dial opens connections; nil dials with a time-out of ten seconds.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// complete returns the options with their defaults, or an error that says
// which one is wrong.
func (o Options) complete() (Options, error) {
	if o.BaseURL == "" {
		o.BaseURL = DefaultBaseURL
	}
	if o.UserAgent == "" {
		o.UserAgent = "chatkit-rest"
	}
	if o.FirstByteTimeout <= 0 {
		o.FirstByteTimeout = DefaultFirstByteTimeout
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = DefaultIdleTimeout
	}
	if err := checkBaseURL(o.BaseURL); err != nil {
		return o, err
	}
	for _, header := range []struct{ name, value string }{
		{"key", o.Key}, {"site URL", o.SiteURL}, {"app name", o.AppName}, {"user agent", o.UserAgent},
	} {
		if strings.ContainsFunc(header.value, isControl) {
			return o, fmt.Errorf("openrouter: the %s has a line break or control character; remove it", header.name)
		}
	}
	return o, nil
}

// checkBaseURL never quotes the URL: someone may have put a password in it.
func checkBaseURL(text string) error {
	base, err := url.Parse(text)
	if err != nil {
		return errors.New("openrouter: the base URL cannot be read; give one like " + DefaultBaseURL)
	}
	if (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return errors.New("openrouter: the base URL must begin with http:// or https:// and name a host")
	}
	if base.User != nil {
		return errors.New("openrouter: the base URL holds a user name; credentials belong in the key")
	}
	if base.RawQuery != "" || base.Fragment != "" {
		return errors.New("openrouter: the base URL holds a query or fragment; remove it")
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == '\x7f' }
