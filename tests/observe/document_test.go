package observe_test

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// conversation returns the metrics of a server after a session and an answer.
func conversation(t *testing.T) families {
	t.Helper()
	s := startObserved(t, harness.Options{Database: harness.SQLite})
	user := s.User(t)
	session := user.CreateSession()
	user.Say(session, "Hello")
	found := s.await(t, expectation{"chatkit_http_requests_total", []string{"operation", "createRun", "status", "200"}, 1})
	problems, err := promlint.New(strings.NewReader(send(t, http.MethodGet, s.metricsURL).body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
	return found
}

// labels returns the names of a metric's labels.
func (f families) labels(name string) []string {
	var labels []string
	for _, metric := range f[name].GetMetric() {
		for _, label := range metric.GetLabel() {
			labels = append(labels, label.GetName())
		}
	}
	slices.Sort(labels)
	return slices.Compact(labels)
}

// TestMetricsAreDocumented checks that the document has a row for each metric
// of the program, with the help text that the server exports, and no other
// rows.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	exposed, document := conversation(t), read(t, documentFile)
	rows := 0
	for _, name := range slices.Sorted(maps.Keys(exposed)) {
		if !strings.HasPrefix(name, "chatkit_") && !strings.HasPrefix(name, "gen_ai_") {
			continue
		}
		rows++
		family, labels := exposed[name], ""
		for _, label := range exposed.labels(name) {
			labels += ", `" + label + "`"
		}
		row := fmt.Sprintf("| `%s` | %s | %s | %s |\n", name, strings.ToLower(family.GetType().String()),
			strings.TrimPrefix(labels, ", "), family.GetHelp())
		if !strings.Contains(document, row) {
			t.Errorf("the document has no row\n%s", row)
		}
	}
	if documented := len(regexp.MustCompile("(?m)^\\| `(chatkit|gen_ai)_").FindAllString(document, -1)); documented != rows {
		t.Errorf("the document has %d rows of metrics, the server %d metrics", documented, rows)
	}
	for _, rule := range alerts(t) {
		if !strings.Contains(document, "`"+rule.Name+"`") {
			t.Errorf("the document does not have the alert %s", rule.Name)
		}
	}
}
