// Package verify is the command verify-env: it checks the settings and
// everything that they name, without starting the server.
package verify

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// checkTimeout bounds each check that has no timeout of its own.
const checkTimeout = 15 * time.Second

// Run checks the settings that load returns, and writes a report. It runs all
// checks, also after one has failed. It returns ErrFailed if one has. The report
// names version as the version of this program.
func Run(ctx context.Context, w io.Writer, version string, load func() (config.Settings, error)) error {
	r := report{w: w}
	r.line("version", statusOK, fmt.Sprintf("chatkit-rest %s (%s, %s/%s)", version, runtime.Version(), runtime.GOOS, runtime.GOARCH))
	settings, err := load()
	if err != nil {
		r.add("settings", "", err)
		return r.end("; the remaining checks were skipped")
	}
	r.add("settings", "complete", nil)
	for _, c := range (checker{settings, version}).checks() {
		ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.timeout, checkTimeout))
		detail, err := c.run(ctx)
		cancel()
		r.add(c.name, detail, err)
	}
	return r.end("")
}

// checker has a method for each check.
type checker struct {
	settings config.Settings
	version  string
}

// check is a line of the report.
type check struct {
	name string
	// run returns what the line says, or an error that says what is wrong and
	// what to do.
	run func(context.Context) (detail string, err error)
	// timeout is checkTimeout if it is zero.
	timeout time.Duration
}

// unsureError is the error of a check that could not find out. It is not a
// failure.
type unsureError struct{ reason string }

func (u unsureError) Error() string { return u.reason }

// checks returns the checks of the settings, in the order of the report.
func (c checker) checks() []check {
	list := []check{
		{name: "database", run: c.checkDatabase},
		{name: "migrations", run: c.checkMigrations},
	}
	if c.settings.RedisURL.IsSet() {
		list = append(list, check{name: "redis", run: c.checkRedis})
	}
	if c.settings.Identity.IsSet() {
		list = append(list, check{name: "identity", run: c.checkIdentity})
	}
	for _, server := range c.settings.MCPServers {
		run := func(ctx context.Context) (string, error) { return c.checkTools(ctx, server) }
		list = append(list, check{name: "tools", run: run, timeout: server.StartTimeout})
	}
	if c.settings.Tracing.Endpoint != "" || len(c.settings.Tracing.Unread) > 0 {
		list = append(list, check{name: "traces", run: c.checkTraces})
	}
	if c.settings.Attachments.IsSet() {
		list = append(list, check{name: "attachments", run: c.checkAttachments})
	}
	return append(list,
		check{name: "key", run: c.checkKey},
		check{name: "model", run: c.checkModels},
		check{name: "limits", run: c.describeLimits})
}
