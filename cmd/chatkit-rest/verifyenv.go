package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// verifyTimeout bounds each look at something outside.
const verifyTimeout = 15 * time.Second

// check is a line of verify-env's report.
type check struct {
	name string
	// look returns what is worth telling, and what is wrong and what to do.
	look func(context.Context, config.Settings) (detail string, err error)
	// timeout is verifyTimeout where it is zero.
	timeout time.Duration
}

// unsure is the error of a check that could not find out; it fails nothing.
type unsure struct{ reason string }

func (u unsure) Error() string { return u.reason }

// checks are the report's lines, in its order, that the settings ask for.
func checks(settings config.Settings) []check {
	list := []check{
		{name: "database", look: verifyDatabase},
		{name: "migrations", look: verifyMigrations},
	}
	if settings.RedisURL.IsSet() {
		list = append(list, check{name: "redis", look: verifyRedis})
	}
	if settings.Identity.IsSet() {
		list = append(list, check{name: "identity", look: verifyIdentity})
	}
	for _, server := range settings.MCPServers {
		list = append(list, check{name: "tools", look: verifyTools(server), timeout: server.StartTimeout})
	}
	if settings.Tracing.Endpoint != "" || len(settings.Tracing.Unread) > 0 {
		list = append(list, check{name: "traces", look: verifyTraces})
	}
	if settings.Attachments.IsSet() {
		list = append(list, check{name: "attachments", look: verifyAttachments})
	}
	return append(list, check{name: "key", look: verifyKey}, check{name: "model", look: verifyModels}, check{name: "limits", look: tellLimits})
}

// verifyEnv prints a report on the settings and on all that they name,
// without starting the server. It looks at all of it before it fails.
func verifyEnv(ctx context.Context, p process, args []string) error {
	flags := flag.NewFlagSet("verify-env", flag.ContinueOnError)
	if ok, err := parse(p, flags, args); !ok {
		return err
	}
	r := report{w: p.stdout}
	r.line("version", wordOK, fmt.Sprintf("chatkit-rest %s (%s, %s/%s)", version, runtime.Version(), runtime.GOOS, runtime.GOARCH))
	settings, err := loadSettings(p, config.Options{})
	if err != nil {
		r.tell("settings", "", err)
		return r.end("; nothing else was looked at")
	}
	r.tell("settings", "complete", nil)
	for _, c := range checks(settings) {
		ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.timeout, verifyTimeout))
		detail, err := c.look(ctx, settings)
		cancel()
		r.tell(c.name, detail, err)
	}
	return r.end("")
}

const (
	wordOK     = "ok"
	wordUnsure = "unsure"
	wordFailed = "FAILED"
)

// report writes one line for each check.
type report struct {
	w              io.Writer
	failed, unsure []string
	err            error // of writing
}

// tell writes what a check found.
func (r *report) tell(name, detail string, err error) {
	var doubt unsure
	switch {
	case err == nil:
		r.line(name, wordOK, detail)
	case errors.As(err, &doubt):
		r.unsure = append(r.unsure, name)
		r.line(name, wordUnsure, doubt.reason)
	default:
		r.failed = append(r.failed, name)
		r.line(name, wordFailed, err.Error())
	}
}

// line keeps what has several lines below the first.
func (r *report) line(name, word, detail string) {
	detail = strings.ReplaceAll(detail, "\n", "\n"+strings.Repeat(" ", 20))
	if _, err := fmt.Fprintf(r.w, "%-12s%-8s%s\n", name, word, detail); err != nil && r.err == nil {
		r.err = err
	}
}

// end writes the result, with a remark where something failed.
func (r *report) end(remark string) error {
	switch {
	case len(r.failed) > 0:
		r.line("result", wordFailed, strings.Join(r.failed, ", ")+remark)
		return errors.Join(errSaid, r.err)
	case len(r.unsure) > 0:
		r.line("result", wordOK, "nothing failed; unsure: "+strings.Join(r.unsure, ", "))
	default:
		r.line("result", wordOK, "all is well")
	}
	return r.err
}
