package contract

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

const (
	delta = `data: {"type":"thread.item.updated","item_id":"` + someID +
		`","update":{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":"Hi"}}` + "\n\n"
	// manyDeltas is enough that some later ones are validated.
	manyDeltas = 3 * deltaStep
	// extraField is an undocumented field of a delta.
	extraField = `,"extra":1}}` + "\n\n"
)

// numbered gives the events of a run's stream their ids.
func numbered(stream string) string {
	frames := strings.SplitAfter(stream, "\n\n")
	for n, frame := range frames {
		if strings.HasPrefix(frame, "data: ") && !strings.HasPrefix(frame, "data: "+EndOfStream) {
			frames[n] = fmt.Sprintf("id: %d\n%s", n+1, frame)
		}
	}
	return strings.Join(frames, "")
}

// deltasWithExtraField returns a stream of deltas. Those from number first to
// number last have an undocumented field.
func deltasWithExtraField(first, last int) string {
	frames := slices.Repeat([]string{delta}, manyDeltas)
	for n := first - 1; n < last; n++ {
		frames[n] = strings.Replace(delta, "}}\n\n", extraField, 1)
	}
	return numbered(options + strings.Join(frames, "") + endFrame)
}

// TestDeltasAreValidated checks that the first deltas, a sample of the later ones
// and all other events are validated.
func TestDeltasAreValidated(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stream string
		want   int
	}{
		"none":                  {deltasWithExtraField(1, 0), 0},
		"the first":             {deltasWithExtraField(1, 1), 1},
		"the last of the first": {deltasWithExtraField(firstDeltas, firstDeltas), 1},
		"all":                   {deltasWithExtraField(1, manyDeltas), firstDeltas + manyDeltas/deltaStep},
		"all later ones":        {deltasWithExtraField(firstDeltas+1, manyDeltas), manyDeltas / deltaStep},
		"another event": {strings.Replace(deltasWithExtraField(1, 0), endFrame,
			"id: 302\n"+strings.Replace(options, `"type"`, `"extra":"\"assistant_message.content_part.text_delta\"","type"`, 1)+endFrame, 1), 1},
		"no frame": {strings.Replace(deltasWithExtraField(1, 0), endFrame, "event: x\n"+delta+endFrame, 1), 1},
	} {
		if failed := validate(t, "POST", runPath, fixedResponse{200, streamHead(), c.stream}); len(failed) != c.want {
			t.Errorf("%s: %d violations were reported, want %d: %.300q", name, len(failed), c.want, failed)
		}
	}
}

// TestBrokenStreamIsValidated checks that a stream may break anywhere and that the
// events before that are validated.
func TestBrokenStreamIsValidated(t *testing.T) {
	t.Parallel()
	spec, err := loadSpecification()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		received string
		want     int
	}{
		"after an event": {options + delta, 0},
		"in an event":    {options + delta[:30], 0},
		"after a fault":  {options + strings.Replace(delta, "}}\n\n", extraField, 1) + delta[:30], 1},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://server.test"+runPath, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		recorded := &recorder{TB: t}
		broken := io.MultiReader(strings.NewReader(numbered(c.received)), iotest.ErrReader(io.ErrUnexpectedEOF))
		stream := newStreamValidator(&validator{t: recorded, spec: spec}, request,
			&http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(broken)})
		if _, err := io.Copy(io.Discard, stream); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: the reader got the error %v", name, err)
		}
		if len(recorded.failed) != c.want {
			t.Errorf("%s: the reported violations are %q", name, recorded.failed)
		}
	}
}
