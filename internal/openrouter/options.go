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

// The default timeouts of a [Client].
const (
	DefaultFirstByteTimeout = 60 * time.Second
	DefaultIdleTimeout      = 60 * time.Second
)

// Options are the options of a [Client].
type Options struct {
	// BaseURL is the URL of the API, with or without a final slash; empty means
	// [DefaultBaseURL].
	BaseURL string
	// Key is sent as a bearer token; empty sends none.
	Key string
	// Model is the model of requests that name none.
	Model string
	// FallbackModels are the models that OpenRouter tries in this order if the
	// model of the request fails (see its documentation, "Model Fallbacks"; it
	// accepts at most three). They apply to Model and to a model that a request
	// names, which itself is left out of the list.
	FallbackModels []string
	// MaxTokens bounds an answer including the model's reasoning; zero sends no
	// bound.
	MaxTokens int
	// SiteURL and AppName are sent as HTTP-Referer and X-Title unless empty.
	SiteURL string
	AppName string
	// UserAgent is sent as User-Agent; empty means "chatkit-rest".
	UserAgent string
	// FirstByteTimeout bounds the wait for the first byte of a response, over
	// all tries; zero means [DefaultFirstByteTimeout].
	FirstByteTimeout time.Duration
	// IdleTimeout bounds the wait for more data of a response; zero means
	// [DefaultIdleTimeout]. The context bounds the whole response.
	IdleTimeout time.Duration
	// Dial opens connections; nil dials with a timeout of ten seconds.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// complete returns the options with their defaults, or an error that names the
// invalid one.
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

// checkBaseURL checks the URL. Its errors do not quote the URL, which may contain a
// password.
func checkBaseURL(text string) error {
	base, err := url.Parse(text)
	if err != nil {
		return errors.New("openrouter: the base URL is invalid; use one like " + DefaultBaseURL)
	}
	if (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return errors.New("openrouter: the base URL must begin with http:// or https:// and have a host")
	}
	if base.User != nil {
		return errors.New("openrouter: the base URL has a user name; set the key instead")
	}
	if base.RawQuery != "" || base.Fragment != "" {
		return errors.New("openrouter: the base URL has a query or fragment; remove it")
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == '\x7f' }
