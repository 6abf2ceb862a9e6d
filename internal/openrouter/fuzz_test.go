package openrouter

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// pieces is a reader that returns at most size bytes at a time.
type pieces struct {
	data []byte
	size int
}

func (p *pieces) Read(to []byte) (int, error) {
	if len(p.data) == 0 {
		return 0, io.EOF
	}
	n := copy(to, p.data[:min(p.size, len(p.data))])
	p.data = p.data[n:]
	return n, nil
}

// parsed is the result of reading a body, without empty chunks.
type parsed struct {
	chunks  []chat.Chunk
	refused bool
	end     error
}

func parse(t *testing.T, body []byte, size int, learn bool) parsed {
	t.Helper()
	a := newAnswer(&pieces{body, size})
	made := 0
	a.calls.newID = func() string { made++; return "made\n" + strconv.Itoa(made) }
	if !learn {
		a.pattern.misses = maxMisses
	}
	if err := a.open(); err != nil {
		return parsed{refused: true, end: err}
	}
	var result parsed
	for calls := 0; ; calls++ {
		if calls > len(body) {
			t.Fatal("more chunks than bytes")
		}
		var chunk chat.Chunk
		if err := a.next(&chunk); err != nil {
			result.end = err
			if again := a.next(&chunk); !errors.Is(again, err) {
				t.Fatalf("ended with %v, then with %v", err, again)
			}
			return result
		}
		if hasContent(chunk) {
			result.chunks = append(result.chunks, chunk)
		}
	}
}

// same compares two results. One with an error at its start has lost its pending
// chunks, which have no output.
func (p parsed) same(other parsed) bool {
	if p.refused != other.refused {
		if slices.ContainsFunc(append(p.chunks, other.chunks...), hasOutput) {
			return false
		}
	} else if !reflect.DeepEqual(p.chunks, other.chunks) {
		return false
	}
	return p.end.Error() == other.end.Error()
}

func FuzzStream(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) == 0 {
		f.Fatal("no recorded streams", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file) //nolint:gosec // of testdata
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, uint16(97))
	}
	// Bodies that are not streams, whose media type their first byte does not tell.
	f.Add([]byte("0\x05"), uint16(97))
	f.Add([]byte("\x89PNG\r\n\x1a\n0"), uint16(2))
	f.Fuzz(func(t *testing.T, body []byte, size uint16) {
		whole := parse(t, body, len(body)+1, true)
		var upstream *chat.UpstreamError
		if !errors.Is(whole.end, io.EOF) && !errors.As(whole.end, &upstream) {
			t.Errorf("ended with %v", whole.end)
		}
		checkText(t, body, whole.chunks)
		checkCalls(t, whole.chunks)
		for name, other := range map[string]parsed{
			"in pieces":       parse(t, body, int(size)+1, true),
			"byte by byte":    parse(t, body, 1, true),
			"without pattern": parse(t, body, len(body)+1, false),
		} {
			if !whole.same(other) {
				t.Errorf("%s: %+v\nat once: %+v", name, other, whole)
			}
		}
	})
}

// checkText checks that the text is UTF-8 and has at most one character for each
// byte read. A byte that is not UTF-8 becomes a character of three bytes.
func checkText(t *testing.T, body []byte, chunks []chat.Chunk) {
	t.Helper()
	bytesOfText, characters := 0, 0
	for _, chunk := range chunks {
		bytesOfText += len(chunk.Text)
		characters += utf8.RuneCountInString(chunk.Text)
		if !utf8.ValidString(chunk.Text) {
			t.Errorf("text %q is no UTF-8", chunk.Text)
		}
	}
	if characters > len(body) || (utf8.Valid(body) && bytesOfText > len(body)) {
		t.Errorf("%d bytes, %d characters of text out of %d bytes", bytesOfText, characters, len(body))
	}
	if n := bytes.Count(body, []byte("\n")) + bytes.Count(body, []byte("\r")) + 3; len(chunks) > n {
		t.Errorf("%d chunks out of %d lines", len(chunks), n)
	}
}

// checkCalls checks that calls are numbered in the order of their first deltas, that
// each has a name and a unique id, and that the arguments are UTF-8.
func checkCalls(t *testing.T, chunks []chat.Chunk) {
	t.Helper()
	ids := map[string]bool{}
	for _, chunk := range chunks {
		if !utf8.ValidString(chunk.Reasoning) || (chunk.ReasoningDetails != nil && !json.Valid(chunk.ReasoningDetails)) {
			t.Errorf("reasoning %q, details %q", chunk.Reasoning, chunk.ReasoningDetails)
		}
		for _, piece := range chunk.Calls {
			if !isInOrder(piece, ids) || !utf8.ValidString(piece.Arguments) {
				t.Errorf("after %d calls began there came %+v", len(ids), piece)
			}
			if piece.ID != "" {
				ids[piece.ID] = true
			}
		}
	}
}

func isInOrder(piece chat.ToolCallDelta, ids map[string]bool) bool {
	if piece.Index == len(ids) {
		return piece.ID != "" && piece.Name != "" && !ids[piece.ID]
	}
	return piece.Index >= 0 && piece.Index < len(ids) && piece.ID == "" && piece.Name == "" && piece.Arguments != ""
}
