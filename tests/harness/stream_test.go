package harness

import (
	"errors"
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
	// pieces are so many that some of the later ones are looked at.
	pieces = 3 * deltaStep
	// tellsMore is what the server does not say of a piece.
	tellsMore = `,"extra":1}}` + "\n\n"
)

// spoiltFrom is a stream of pieces of which those from the first to the last, as
// they are counted from one, have a field more.
func spoiltFrom(first, last int) string {
	frames := slices.Repeat([]string{delta}, pieces)
	for n := first - 1; n < last; n++ {
		frames[n] = strings.Replace(delta, "}}\n\n", tellsMore, 1)
	}
	return options + strings.Join(frames, "") + endFrame
}

// TestPiecesAreLookedAt: the first ones each, and later ones that differ for
// long enough; what is no piece is always looked at.
func TestPiecesAreLookedAt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stream string
		want   int
	}{
		"none spoilt":           {spoiltFrom(1, 0), 0},
		"the first":             {spoiltFrom(1, 1), 1},
		"the last of the first": {spoiltFrom(firstDeltas, firstDeltas), 1},
		"all":                   {spoiltFrom(1, pieces), firstDeltas + pieces/deltaStep},
		"all later ones":        {spoiltFrom(firstDeltas+1, pieces), pieces / deltaStep},
		"another event": {strings.Replace(spoiltFrom(1, 0), endFrame,
			strings.Replace(options, `"type"`, `"extra":"\"assistant_message.content_part.text_delta\"","type"`, 1)+endFrame, 1), 1},
		"no frame": {strings.Replace(spoiltFrom(1, 0), endFrame, "event: x\n"+delta+endFrame, 1), 1},
	} {
		if failed := look(t, "POST", runPath, answering{200, streamHead(), c.stream}); len(failed) != c.want {
			t.Errorf("%s: %d were found wrong, want %d: %.300q", name, len(failed), c.want, failed)
		}
	}
}

// TestCutStreamIsLookedAt: a stream may be cut anywhere, but what came of it is
// held against the contract all the same.
func TestCutStreamIsLookedAt(t *testing.T) {
	t.Parallel()
	contract, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		came string
		want int
	}{
		"after an event": {options + delta, 0},
		"in an event":    {options + delta[:30], 0},
		"after a fault":  {options + strings.Replace(delta, "}}\n\n", tellsMore, 1) + delta[:30], 1},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://server.test"+runPath, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		recorded := &recorder{TB: t}
		cut := io.MultiReader(strings.NewReader(c.came), iotest.ErrReader(io.ErrUnexpectedEOF))
		check := newStreamCheck(&validator{t: recorded, contract: contract}, request,
			&http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(cut)})
		if _, err := io.Copy(io.Discard, check); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: the reader was told %v", name, err)
		}
		if len(recorded.failed) != c.want {
			t.Errorf("%s: found wrong was %q", name, recorded.failed)
		}
	}
}
