package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"runtime"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// verifyTimeout bounds each check that has no timeout of its own.
const verifyTimeout = 15 * time.Second

// check is a line of verify-env's report.
type check struct {
	name string
	// run returns what the line says, or an error that says what is wrong and
	// what to do.
	run func(context.Context, config.Settings) (detail string, err error)
	// timeout is verifyTimeout if it is zero.
	timeout time.Duration
}

// unsureError is the error of a check that could not find out. It is not a
// failure.
type unsureError struct{ reason string }

func (u unsureError) Error() string { return u.reason }

// checks returns the checks of the settings, in the order of the report.
func checks(settings config.Settings) []check {
	list := []check{
		{name: "database", run: verifyDatabase},
		{name: "migrations", run: verifyMigrations},
	}
	if settings.RedisURL.IsSet() {
		list = append(list, check{name: "redis", run: verifyRedis})
	}
	if settings.Identity.IsSet() {
		list = append(list, check{name: "identity", run: verifyIdentity})
	}
	for _, server := range settings.MCPServers {
		list = append(list, check{name: "tools", run: verifyTools(server), timeout: server.StartTimeout})
	}
	if settings.Tracing.Endpoint != "" || len(settings.Tracing.Unread) > 0 {
		list = append(list, check{name: "traces", run: verifyTraces})
	}
	if settings.Attachments.IsSet() {
		list = append(list, check{name: "attachments", run: verifyAttachments})
	}
	return append(list, check{name: "key", run: verifyKey}, check{name: "model", run: verifyModels}, check{name: "limits", run: describeLimits})
}

// verifyEnv prints a report on the settings and on everything that they name,
// without starting the server. It runs all checks, also after one has failed.
func verifyEnv(ctx context.Context, p process, args []string) error {
	flags := flag.NewFlagSet("verify-env", flag.ContinueOnError)
	if ok, err := parse(p, flags, args); !ok {
		return err
	}
	r := report{w: p.stdout}
	r.line("version", statusOK, fmt.Sprintf("chatkit-rest %s (%s, %s/%s)", version, runtime.Version(), runtime.GOOS, runtime.GOARCH))
	settings, err := loadSettings(p, config.Options{})
	if err != nil {
		r.add("settings", "", err)
		return r.end("; nothing else was looked at")
	}
	r.add("settings", "complete", nil)
	for _, c := range checks(settings) {
		ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.timeout, verifyTimeout))
		detail, err := c.run(ctx, settings)
		cancel()
		r.add(c.name, detail, err)
	}
	return r.end("")
}
