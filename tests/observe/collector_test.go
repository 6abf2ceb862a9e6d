package observe_test

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// collector is a fake OpenTelemetry collector over HTTP.
type collector struct {
	url string

	mu      sync.Mutex
	headers []http.Header
	paths   []string
	spans   []span
	texts   []string
	busy    int
}

// span has the tested parts of a span.
type span struct {
	*tracepb.Span

	id, parent, trace string
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.take(t, w, r) }))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *collector) take(t *testing.T, w http.ResponseWriter, r *http.Request) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy > 0 {
		c.busy--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			t.Errorf("a batch is no gzip: %v", err)
			return
		}
		body = unzipped
	}
	data, err := io.ReadAll(body)
	if err != nil {
		t.Errorf("a batch cannot be read: %v", err)
	}
	var batch tracepb.TracesData
	if err := proto.Unmarshal(data, &batch); err != nil {
		t.Errorf("a batch is no OTLP: %v", err)
	}
	c.headers, c.paths = append(c.headers, r.Header.Clone()), append(c.paths, r.URL.Path)
	c.texts = append(c.texts, prototext.Format(&batch))
	for _, resource := range batch.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, one := range scope.GetSpans() {
				c.spans = append(c.spans, span{
					one, hex.EncodeToString(one.GetSpanId()), hex.EncodeToString(one.GetParentSpanId()), hex.EncodeToString(one.GetTraceId()),
				})
			}
		}
	}
}

// all returns the spans received so far.
func (c *collector) all() []span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// one returns the only span with the name, below the parent if one is given.
func one(t *testing.T, spans []span, name, parent string) span {
	t.Helper()
	var found []span
	for _, s := range spans {
		if s.GetName() == name && (parent == "" || s.parent == parent) {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("there are %d spans %q below %q; the spans are %q", len(found), name, parent, names(spans))
	}
	return found[0]
}

func names(spans []span) []string {
	list := make([]string, len(spans))
	for n, s := range spans {
		list[n] = s.GetName()
	}
	return list
}

// attribute returns the value of a span's attribute, or nil.
func (s span) attribute(name string) any {
	for _, pair := range s.GetAttributes() {
		if pair.GetKey() != name {
			continue
		}
		switch value := pair.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			return value.StringValue
		case *commonpb.AnyValue_IntValue:
			return value.IntValue
		case *commonpb.AnyValue_BoolValue:
			return value.BoolValue
		case *commonpb.AnyValue_ArrayValue:
			var texts []string
			for _, element := range value.ArrayValue.GetValues() {
				texts = append(texts, element.GetStringValue())
			}
			return strings.Join(texts, ",")
		default:
			return value
		}
	}
	return nil
}
