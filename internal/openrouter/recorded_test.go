package openrouter_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const paris = "The capital of France is\n\"Paris\", la Ville Lumière 🗼."

// recording is a body under testdata and the expected result.
type recording struct {
	file   string
	text   string
	finish string
	// usage reports whether the usage of 21 and 9 tokens is expected.
	usage bool
	// kind is the kind of the failure, or empty if the answer is complete. If there
	// is no text before the failure, Stream must return it.
	kind   chat.UpstreamKind
	status int
}

func recordings() []recording {
	const (
		busy    = chat.UpstreamBusy
		broken  = chat.UpstreamBroken
		begun   = "The capital of"
		stopped = "stop"
	)
	return []recording{
		{"complete.sse", paris, stopped, true, "", 0},
		{"many_comments.sse", paris, stopped, true, "", 0},
		{"usage_without_choices.sse", paris, stopped, true, "", 0},
		{"finish_reason_twice.sse", paris, stopped, true, "", 0},
		{"no_done.sse", paris, stopped, true, "", 0},
		{"no_done_no_blank_line.sse", paris, stopped, false, "", 0},
		{"done_without_finish_reason.sse", paris, "", false, "", 0},
		{"after_done.sse", paris, stopped, true, "", 0},
		{"no_text.sse", "", stopped, true, "", 0},
		{"length.sse", begun, "length", true, "", 0},
		{"content_filter.sse", "The", "content_filter", true, "", 0},
		{"unknown_fields.sse", paris, stopped, true, "", 0},
		{"error_null.sse", paris, stopped, true, "", 0},
		{"null_content.sse", paris, stopped, true, "", 0},
		{"content_parts.sse", "The capital Paris.", stopped, false, "", 0},
		{"reasoning.sse", paris, stopped, true, "", 0},
		{"citations.sse", "News of today.", stopped, false, "", 0},
		{"refusal.sse", "I cannot help with that.", stopped, false, "", 0},
		{"several_choices.sse", "The end", stopped, true, "", 0},
		{"tool_calls.sse", "", "tool_calls", true, "", 0},
		{"wrong_types.sse", "The end", stopped, false, "", 0},
		{"id_changes.sse", "The capital of France is Paris.", stopped, true, "", 0},
		{"gemma3_270m_llama_cpp.sse", " The capital of France is Paris.", stopped, false, "", 0},

		{"line_ends_crlf.sse", paris, stopped, true, "", 0},
		{"line_ends_cr.sse", paris, stopped, true, "", 0},
		{"line_ends_mixed.sse", paris, stopped, true, "", 0},
		{"byte_order_mark.sse", paris, stopped, true, "", 0},
		{"data_of_several_lines.sse", "Paris.", stopped, true, "", 0},
		{"data_of_several_lines_crlf.sse", "Paris.", stopped, true, "", 0},
		{"same_key_twice.sse", "a b Paris", stopped, false, "", 0},
		{"content_elsewhere.sse", strings.Repeat("ha ", 3), stopped, false, "", 0},
		{"other_fields.sse", paris, stopped, true, "", 0},
		{"escapes.sse", "tab\t, quote\", slash\\, nul-free, \u2028🗼 éline\n\nline", stopped, true, "", 0},
		{"bytes_not_utf8.sse", "aa\ufffd\ufffd", stopped, false, "", 0},

		{"error_first_number.sse", "", "", false, busy, 429},
		{"error_first_digits.sse", "", "", false, busy, 429},
		{"error_first_word.sse", "", "", false, busy, 0},
		{"error_first_type.sse", "", "", false, chat.UpstreamBadRequest, 0},
		{"error_first_moderation.sse", "", "", false, chat.UpstreamRefused, 400},
		{"error_first_after_comment.sse", "", "", false, busy, 503},
		{"error_first_after_role.sse", "", "", false, chat.UpstreamPayment, 402},
		{"error_later_number.sse", begun, "", false, busy, 502},
		{"error_later_digits.sse", begun, "", false, busy, 429},
		{"error_later_word.sse", begun, "", false, busy, 0},
		{"error_later_timeout.sse", begun, "", false, chat.UpstreamTimeout, 504},
		{"error_later_text.sse", begun, "", false, broken, 0},
		{"error_later_foreign_code.sse", begun, "", false, broken, 1302},
		{"error_later_with_usage.sse", begun, "", true, busy, 502},
		{"error_later_choice.sse", begun, "", false, busy, 502},
		{"finish_reason_error.sse", begun, "", false, broken, 0},
		{"no_finish_reason.sse", paris, "", false, broken, 0},
		{"only_comments.sse", "", "", false, broken, 0},
		{"bad_json.sse", begun, "", false, broken, 0},
		{"not_json.sse", begun, "", false, broken, 0},
		{"not_an_object.sse", begun, "", false, broken, 0},
		{"empty.sse", "", "", false, broken, 0},
		{"blank.sse", "", "", false, broken, 0},

		{"not_streamed.json", "Paris.", stopped, true, "", 0},
		{"not_streamed_broken.json", "Par", "", true, busy, 502},
		{"not_streamed_other.json", "", "", false, broken, 0},
		{"not_streamed_cut.json", "", "", false, broken, 0},
		{"error.json", "", "", false, chat.UpstreamPayment, 402},
		{"error_after_spaces.json", "", "", false, busy, 503},
		{"error_in_list.json", "", "", false, busy, 429},
		{"error_text.json", "", "", false, broken, 0},
		{"web_page.html", "", "", false, broken, 0},
	}
}

func recorded(t *testing.T, file string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", file)) //nolint:gosec // the table names it
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// replay answers with a recorded body and flushes after each piece of the size.
func replay(t *testing.T, body []byte, contentType string, piece int) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for len(body) > 0 {
			n := min(piece, len(body))
			send(t, w, string(body[:n]))
			body = body[n:]
		}
	}
}

func contentType(file string) string {
	switch filepath.Ext(file) {
	case ".json":
		return "application/json"
	case ".html":
		return "text/html; charset=utf-8"
	}
	return "text/event-stream; charset=utf-8"
}

func TestRecordedAnswers(t *testing.T) {
	t.Parallel()
	for _, want := range recordings() {
		t.Run(want.file, func(t *testing.T) {
			t.Parallel()
			body := recorded(t, want.file)
			whole := upstream(t, replay(t, body, contentType(want.file), 1<<20))
			result := ask(t.Context(), t, client(t, whole.URL))
			want.check(t, result)
			if want.kind != "" && want.text == "" && want.file != "only_comments.sse" && !result.refused {
				t.Error("the failure came before any text, but Stream did not return it")
			}
			if want.kind != "" && want.text != "" && result.refused {
				t.Error("Stream failed, and the text that had come is lost")
			}

			pieces := upstream(t, replay(t, body, contentType(want.file), 97))
			want.check(t, ask(t.Context(), t, client(t, pieces.URL)))
		})
	}
}

func (want recording) check(t *testing.T, result got) {
	t.Helper()
	if result.text != want.text || result.finish != want.finish {
		t.Errorf("text %q, finish %q; want %q, %q", result.text, result.finish, want.text, want.finish)
	}
	if want.kind == "" && result.err != nil {
		t.Errorf("failed: %v", result.err)
	}
	if want.kind != "" {
		checkFailure(t, result.err, want.kind, want.status)
	}
	if want.usage {
		checkUsage(t, result.usage)
	}
}

func checkUsage(t *testing.T, usage *chat.Usage) {
	t.Helper()
	if usage == nil || usage.Cost == nil {
		t.Fatalf("usage %+v; want tokens and cost", usage)
	}
	plain := *usage
	plain.Cost = nil
	if want := (chat.Usage{InputTokens: 21, OutputTokens: 9, CachedTokens: 16, ReasoningTokens: 4}); plain != want {
		t.Errorf("usage %+v, want %+v", plain, want)
	}
	if *usage.Cost != 0.0000057 {
		t.Errorf("cost %v", *usage.Cost)
	}
}

func TestEveryRecordingIsTested(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{"testdata/.gitattributes": true}
	for _, r := range recordings() {
		named["testdata/"+r.file] = true
	}
	for _, r := range callRecordings() {
		named["testdata/"+r.file] = true
	}
	for _, file := range files {
		if !named[file] {
			t.Errorf("%s is in no test", file)
		}
	}
}

func TestModelAndIDAreReturnedOnce(t *testing.T) {
	t.Parallel()
	server := upstream(t, replay(t, recorded(t, "complete.sse"), "text/event-stream", 1<<20))
	result := ask(t.Context(), t, client(t, server.URL))
	if result.model != "google/gemini-2.5-flash-lite" || !strings.HasPrefix(result.id, "gen-1795442901-") ||
		strings.Count(result.id, "gen-") != 1 {
		t.Errorf("model %q, id %q", result.model, result.id)
	}
}

func TestEachEventIsAChunk(t *testing.T) {
	t.Parallel()
	server := upstream(t, replay(t, recorded(t, "reasoning.sse"), "text/event-stream", 1<<20))
	result := ask(t.Context(), t, client(t, server.URL))
	// Three chunks of reasoning, four of text, one finish, one usage.
	if result.chunks != 9 {
		t.Errorf("%d chunks, want 9", result.chunks)
	}
}

func TestCitations(t *testing.T) {
	t.Parallel()
	server := upstream(t, replay(t, recorded(t, "citations.sse"), "text/event-stream", 1<<20))
	result := ask(t.Context(), t, client(t, server.URL))
	if len(result.sources) != 2 || result.sources[0].URL != "https://example.com/news" || result.sources[0].Title != "The news" ||
		result.sources[0].Index == nil || *result.sources[0].Index != 14 || result.sources[1].Index != nil {
		t.Errorf("sources %+v", result.sources)
	}
}
