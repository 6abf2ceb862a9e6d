package observe_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	alertsFile    = "../../deploy/prometheus/alerts.yml"
	dashboardFile = "../../deploy/grafana/chatkit-rest.json"
	documentFile  = "../../docs/observing.md"
)

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path) //nolint:gosec // the tests name it
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// alert is an alerting rule.
type alert struct {
	Name string `yaml:"alert"`
	Expr string `yaml:"expr"`
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []alert `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal([]byte(read(t, alertsFile)), &file); err != nil {
		t.Fatal(err)
	}
	var rules []alert
	for _, group := range file.Groups {
		rules = append(rules, group.Rules...)
	}
	return rules
}

// dashboardQueries returns the queries of all panels.
func dashboardQueries(t *testing.T) []string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal([]byte(read(t, dashboardFile)), &dashboard); err != nil {
		t.Fatal(err)
	}
	var queries []string
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			queries = append(queries, target.Expr)
		}
	}
	return queries
}

var (
	metricPattern   = regexp.MustCompile(`\b(?:chatkit|go|process)_[a-z0-9_]+`)
	groupingPattern = regexp.MustCompile(`by \(([^)]*)\)`)
	matcherPattern  = regexp.MustCompile(`(\w+)(?:=~|!~|!=|=)"`)
)

// TestDashboardAndAlertsUseExistingMetrics checks that the running server has
// each metric and label that the dashboard and the alerts use.
func TestDashboardAndAlertsUseExistingMetrics(t *testing.T) {
	t.Parallel()
	exposed := conversation(t)
	queries := dashboardQueries(t)
	for _, rule := range alerts(t) {
		queries = append(queries, rule.Expr)
	}
	if len(queries) < 20 {
		t.Fatalf("only %d queries were found", len(queries))
	}
	for _, query := range queries {
		labels := []string{"le", "instance"} // labels of histograms and of Prometheus itself
		names := metricPattern.FindAllString(query, -1)
		if len(names) == 0 {
			t.Errorf("no metric is found in %s", query)
		}
		for _, name := range names {
			family := exposed[name]
			if family == nil {
				family = exposed[strings.TrimSuffix(name, "_bucket")]
			}
			if family == nil {
				t.Errorf("the server has no metric %s, asked for by %s", name, query)
				continue
			}
			labels = append(labels, exposed.labels(family.GetName())...)
		}
		for _, label := range labelsIn(query) {
			if !slices.Contains(labels, label) {
				t.Errorf("no metric of %s has the label %q", query, label)
			}
		}
	}
}

func labelsIn(query string) []string {
	var labels []string
	for _, match := range groupingPattern.FindAllStringSubmatch(query, -1) {
		for label := range strings.SplitSeq(match[1], ",") {
			labels = append(labels, strings.TrimSpace(label))
		}
	}
	for _, match := range matcherPattern.FindAllStringSubmatch(query, -1) {
		labels = append(labels, match[1])
	}
	return labels
}
