package verify

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// The states of a line of a report.
const (
	statusOK     = "ok"
	statusUnsure = "unsure"
	statusFailed = "FAILED"
)

// ErrFailed is the error of a report with a failed check.
var ErrFailed = errors.New("a check failed")

// report is the output of verify-env: a line for each check, and the result.
type report struct {
	w              io.Writer
	failed, unsure []string // names of checks
	err            error    // the first error of w
}

// add writes the result of a check.
func (r *report) add(name, detail string, err error) {
	var doubt unsureError
	switch {
	case err == nil:
		r.line(name, statusOK, detail)
	case errors.As(err, &doubt):
		r.unsure = append(r.unsure, name)
		r.line(name, statusUnsure, doubt.reason)
	default:
		r.failed = append(r.failed, name)
		r.line(name, statusFailed, err.Error())
	}
}

// line writes a line. It indents the further lines of a detail.
func (r *report) line(name, word, detail string) {
	detail = strings.ReplaceAll(detail, "\n", "\n"+strings.Repeat(" ", 20))
	if _, err := fmt.Fprintf(r.w, "%-12s%-8s%s\n", name, word, detail); err != nil && r.err == nil {
		r.err = err
	}
}

// end writes the result, with a remark if a check failed. It returns ErrFailed
// if a check failed.
func (r *report) end(remark string) error {
	switch {
	case len(r.failed) > 0:
		r.line("result", statusFailed, strings.Join(r.failed, ", ")+remark)
		return errors.Join(ErrFailed, r.err)
	case len(r.unsure) > 0:
		r.line("result", statusOK, "no check failed; unsure: "+strings.Join(r.unsure, ", "))
	default:
		r.line("result", statusOK, "all checks passed")
	}
	return r.err
}
