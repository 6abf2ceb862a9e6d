package demo_test

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/demo"
)

func TestErrorRefusesBeforeTheFirstByte(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	for _, code := range []int{400, 401, 402, 403, 404, 408, 413, 429, 500, 502, 503} {
		response := post(t.Context(), t, server, server.Key(), body(t, user("/error "+strconv.Itoa(code))))
		if response.status != code {
			t.Errorf("/error %d: status %d", code, response.status)
		}
		readFailure(t, response)
		waits := code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable
		if got := response.header.Get("Retry-After"); (got != "") != waits {
			t.Errorf("/error %d: Retry-After is %q", code, got)
		}
	}
}

func TestErrorWithoutCodeIsABadGateway(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	response := post(t.Context(), t, server, server.Key(), body(t, user("/error")))
	if response.status != http.StatusBadGateway {
		t.Errorf("status %d", response.status)
	}
	if f := readFailure(t, response); f.Error.Metadata["provider_name"] == nil {
		t.Errorf("metadata %v", f.Error.Metadata)
	}
}

func TestBadArgumentsAreExplained(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	for message, want := range map[string]string{
		"/error 299":     "429",
		"/error now":     "429",
		"/long":          "`/long 500`",
		"/long 0":        "from 1 to",
		"/long -5":       "from 1 to",
		"/long 99999999": "from 1 to",
		"/dance":         "/error 429",
	} {
		if got := reply(t, server, user(message)); !strings.Contains(got, want) {
			t.Errorf("%s: answer %q lacks %q", message, got, want)
		}
	}
}

func TestCutBreaksTheConnection(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	got := ask(t, server, user("/cut"))
	if !errors.Is(got.err, io.ErrUnexpectedEOF) {
		t.Errorf("the stream ended with %v", got.err)
	}
	if got.text() == "" || got.finish() != "" || got.done {
		t.Errorf("text %q, finish reason %q, done %v", got.text(), got.finish(), got.done)
	}
}

func TestFailIsAnErrorInsideTheStream(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	got := ask(t, server, user("/FAIL"))
	last := got.events[len(got.events)-1]
	if got.status != http.StatusOK || last.Error == nil || last.Error.Message == "" || got.finish() != "error" {
		t.Errorf("status %d, last event %+v", got.status, last)
	}
	if _, isString := last.Error.Code.(string); !isString {
		t.Errorf("the code %v is not a string", last.Error.Code)
	}
	if got.text() == "" || got.done {
		t.Errorf("text %q, done %v", got.text(), got.done)
	}
}

func TestEmptyHasNoText(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	got := ask(t, server, user("/empty"))
	if got.text() != "" || got.finish() != "stop" || !got.done {
		t.Errorf("text %q, finish reason %q, done %v", got.text(), got.finish(), got.done)
	}
}

func TestLongHasAsManyWordsAsAsked(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	for _, words := range []int{1, 2, 60, 61, 500, 20_000} {
		got := ask(t, server, user("/long "+strconv.Itoa(words)))
		if n := len(strings.Fields(got.text())); n != words || !got.done {
			t.Errorf("/long %d: %d words, done %v", words, n, got.done)
		}
	}
}

func TestSlowWaitsThenGoesSlowly(t *testing.T) {
	t.Parallel()
	const pace = time.Millisecond
	server := start(t, demo.Options{Pace: pace})
	begun := time.Now()
	got := ask(t, server, user("/slow"))
	words := len(strings.Fields(got.text()))
	if least := (5*25 + time.Duration(words)*20) * pace; time.Since(begun) < least {
		t.Errorf("it took %s, less than %s", time.Since(begun), least)
	}
	if len(got.comments) < 5 || !got.done {
		t.Errorf("%d comments, done %v", len(got.comments), got.done)
	}
}

// Only the last message counts, so a failure does not stay in a session.
func TestEarlierCommandsAreHistory(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	if got := reply(t, server, user("/error 429"), user("/cut"), user("1+1")); got != "`1+1` = 2" {
		t.Errorf("answer %q", got)
	}
}
