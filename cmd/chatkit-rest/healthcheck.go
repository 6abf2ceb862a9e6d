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

// healthTimeout bounds the question; container engines give it 30 s.
const healthTimeout = 5 * time.Second

// healthcheck asks the server that runs beside it, with the same settings,
// whether it is well. It is for images that hold no other program.
func healthcheck(ctx context.Context, p process, args []string) error {
	flags := flag.NewFlagSet("healthcheck", flag.ContinueOnError)
	ready := flags.Bool("ready", false, "ask /readyz, which looks at the database, instead of /health")
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
	status, err := askHealth(ctx, "http://"+ownAddress(settings)+path)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s answers %d, not 200; the server's log says why", path, status)
	}
	_, err = fmt.Fprintln(p.stdout, "healthy")
	return err
}

// ownAddress is where a server with these settings is found from its own
// machine: a listener on all addresses is on the loopback one too.
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

func askHealth(ctx context.Context, url string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	// A proxy of the environment is for the way out, not for the way here.
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	_ = response.Body.Close()
	return response.StatusCode, nil
}
