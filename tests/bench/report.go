package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// report is the report that the benchmark prints at its end, as Markdown.
type report struct {
	about    []string
	aims     table
	sections []string
}

// table is a Markdown table.
type table struct {
	header []string
	rows   [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) String() string {
	var out strings.Builder
	line := func(cells []string) { out.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(t.header)
	rule := make([]string, len(t.header))
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

func (r *report) describeMachine(databases string, sync time.Duration) {
	r.about = append(r.about,
		fmt.Sprintf("%s/%s, %d cores, %s, %s; a synced write of a page takes %s.",
			runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), databases, milliseconds(sync)),
		"The client, the upstream, the databases and the targets share these cores, so absolute figures are low. "+
			"Compare only the figures within a table. The targets are measured in turn; figures are medians of the rounds. "+
			"CPU is the user and system time of the target's process.")
}

// addAim adds a figure that has an aim.
func (r *report) addAim(what, figure, aim string, met bool) {
	result := "FAIL"
	if met {
		result = "pass"
	}
	r.aims.add(what, figure, aim, result)
}

// addSection adds a section with a text and a table.
func (r *report) addSection(title, text string, t table) {
	r.sections = append(r.sections, strings.Join([]string{"## " + title, text, t.String()}, "\n\n"))
}

func (r *report) write(w io.Writer) error {
	r.aims.header = []string{"aim", "measured", "required", "result"}
	sections := []string{"# Measured", strings.Join(r.about, "\n\n"), r.aims.String(), strings.Join(r.sections, "\n")}
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
