package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// healthTimeout bounds the request. Container engines allow 30 s by default.
const healthTimeout = 5 * time.Second

// healthcheck asks the server on this machine, which has the same settings,
// whether it is healthy. It is for images that contain no other program.
func healthcheck(ctx context.Context, p process, args []string) error {
	flags := flag.NewFlagSet("healthcheck", flag.ContinueOnError)
	ready := flags.Bool("ready", false, "ask /readyz, which checks the database, instead of /health")
	if ok, err := parse(p, flags, args); !ok {
		return err
	}
	settings, err := loadSettings(p, config.Options{Only: []string{"HOST", "PORT"}})
	if err != nil {
		return err
	}
	if settings.Port == 0 {
		return errors.New("PORT is 0, any free port, so the server cannot be found; set PORT")
	}
	path := "/health"
	if *ready {
		path = "/readyz"
	}
	status, err := requestHealth(ctx, "http://"+ownAddress(settings)+path)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s answers %d, not 200; the server's log says why", path, status)
	}
	_, err = fmt.Fprintln(p.stdout, "healthy")
	return err
}

// ownAddress returns the address of a server with these settings on its own
// machine. A listener on all addresses also listens on the loopback address.
func ownAddress(settings config.Settings) string {
	host := settings.Host
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip.Is6() {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, strconv.Itoa(settings.Port))
}

// requestHealth returns the status code of the answer.
func requestHealth(ctx context.Context, url string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	// This transport ignores the proxy settings of the environment.
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	_ = response.Body.Close()
	return response.StatusCode, nil
}
