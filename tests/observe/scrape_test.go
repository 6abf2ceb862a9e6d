package observe_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// patience is how long a test waits for what an idle server does at once.
const patience = 20 * time.Second

// pause is the time between two polls.
const pause = 30 * time.Millisecond

// observed is a server with a metrics listener.
type observed struct {
	*harness.Server

	metricsURL string
}

func startObserved(t *testing.T, o harness.Options) *observed {
	t.Helper()
	env := map[string]string{"METRICS_ADDR": "127.0.0.1:0"}
	maps.Copy(env, o.Env)
	o.Env = env
	server := harness.Start(t, o)
	return &observed{server, "http://" + metricsAddress(t, server) + "/metrics"}
}

// metricsAddress returns the metrics address from the server's log.
func metricsAddress(t *testing.T, server *harness.Server) string {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(pause) {
		for line := range strings.Lines(server.Log()) {
			var entry struct {
				Msg     string `json:"msg"`
				Address string `json:"address"`
			}
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "serving metrics" {
				return entry.Address
			}
		}
	}
	t.Fatalf("the server does not say where its metrics are:\n%s", server.Log())
	return ""
}

// families are the metrics of a scrape.
type families map[string]*dto.MetricFamily

func (s *observed) scrape(t *testing.T) families {
	t.Helper()
	response := send(t, http.MethodGet, s.metricsURL)
	if response.status != http.StatusOK {
		t.Fatalf("the scrape got %d", response.status)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	found, err := parser.TextToMetricFamilies(strings.NewReader(response.body))
	if err != nil {
		t.Fatalf("the scrape cannot be read: %v", err)
	}
	return found
}

// answer is the answer to a request.
type answer struct {
	status int
	body   string
}

// send sends a request without a body, on a connection of its own.
func send(t *testing.T, method, url string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, string(body)}
}

// value returns the value of the one series with these labels, given as name,
// value, name, value; for a histogram its count. It is -1 if there is no such
// series.
func (f families) value(name string, labels ...string) float64 {
	family := f[name]
	for _, metric := range family.GetMetric() {
		if !slices.Equal(labelsOf(metric), pairsOf(labels)) {
			continue
		}
		switch family.GetType() {
		case dto.MetricType_COUNTER:
			return metric.GetCounter().GetValue()
		case dto.MetricType_HISTOGRAM:
			return float64(metric.GetHistogram().GetSampleCount())
		default:
			return metric.GetGauge().GetValue()
		}
	}
	return -1
}

func labelsOf(metric *dto.Metric) []string {
	var pairs []string
	for _, label := range metric.GetLabel() {
		pairs = append(pairs, label.GetName()+"="+label.GetValue())
	}
	slices.Sort(pairs)
	return pairs
}

func pairsOf(labels []string) []string {
	var pairs []string
	for pair := range slices.Chunk(labels, 2) {
		pairs = append(pairs, pair[0]+"="+pair[1])
	}
	slices.Sort(pairs)
	return pairs
}

// series returns how many series the program's own metrics have.
func (f families) series() int {
	count := 0
	for name, family := range f {
		if strings.HasPrefix(name, "chatkit_") {
			count += len(family.GetMetric())
		}
	}
	return count
}

// expectation is a series and the value that it must reach.
type expectation struct {
	name   string
	labels []string
	value  float64
}

// await scrapes until the series have these values: a request is counted after
// its last byte.
func (s *observed) await(t *testing.T, expected ...expectation) families {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		found := s.scrape(t)
		missing := slices.DeleteFunc(slices.Clone(expected), func(e expectation) bool {
			return near(found.value(e.name, e.labels...), e.value)
		})
		if len(missing) == 0 {
			return found
		}
		if time.Now().After(deadline) {
			for _, e := range missing {
				t.Errorf("%s%q is %v, want %v", e.name, e.labels, found.value(e.name, e.labels...), e.value)
			}
			t.FailNow()
		}
		time.Sleep(pause)
	}
}

func near(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }
