package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// report gathers what is printed at the end, as Markdown.
type report struct {
	about []string
	aims  table
	parts []string
}

// table is a table of Markdown.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) String() string {
	var out strings.Builder
	line := func(cells []string) { out.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(t.head)
	rule := make([]string, len(t.head))
	for n := range rule {
		rule[n] = "---:"
	}
	rule[0] = "---"
	line(rule)
	for _, row := range t.rows {
		line(row)
	}
	return out.String()
}

func (r *report) machine(databases string, sync time.Duration) {
	r.about = append(r.about,
		fmt.Sprintf("%s/%s, %d cores, %s, %s; the disk keeps a page for good in %s.",
			runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), databases, milliseconds(sync)),
		"Client, upstream, databases and what is measured share these cores, so absolute figures are low and "+
			"only those beside each other in a table compare. The ways take turns; figures are medians of the rounds. "+
			"CPU is the measured process's own, user and system.")
}

// aim notes a figure that has one.
func (r *report) aim(what, figure, aim string, met bool) {
	word := "FAIL"
	if met {
		word = "pass"
	}
	r.aims.add(what, figure, aim, word)
}

// part adds a table with a text before it.
func (r *report) part(title, text string, t table) {
	r.parts = append(r.parts, strings.Join([]string{"## " + title, text, t.String()}, "\n\n"))
}

func (r *report) write(w io.Writer) error {
	r.aims.head = []string{"aim", "measured", "wanted", "result"}
	sections := []string{"# Measured", strings.Join(r.about, "\n\n"), r.aims.String(), strings.Join(r.parts, "\n")}
	if _, err := fmt.Fprintln(w, strings.Join(sections, "\n\n")); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

func thousands(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
