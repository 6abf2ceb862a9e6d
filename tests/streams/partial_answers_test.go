package streams_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// first is the text of an answer before it broke off.
const first = "The first part, " + sayWord + "."

// brokenAfter is an answer whose steps follow some text.
func brokenAfter(steps ...harness.Step) harness.Script {
	script := harness.Script{
		harness.Comment("OPENROUTER PROCESSING"), harness.Text("The first"), harness.Text(" part, " + sayWord + "."),
	}
	return append(script, steps...)
}

// breaks are faults after the first byte of an answer, and after some text.
func breaks() []fault {
	const tail = `,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"error"}]}` + "\n\n"
	said := func(fault string) harness.Step {
		return harness.Raw(`data: {"id":"gen-1","object":"chat.completion.chunk","error":` + fault + tail)
	}
	return []fault{
		{
			name: "error with a number", code: "upstream_busy",
			script: brokenAfter(said(`{"code":502,"message":"`+fromUp+`"}`), harness.Done()),
		},
		{
			name: "error with a number in a string", code: "upstream_payment",
			script: brokenAfter(said(`{"code":"402","message":"`+fromUp+`"}`), harness.Done()),
		},
		{
			name: "error with a word", code: "upstream_busy",
			script: brokenAfter(said(`{"code":"server_error","message":"`+fromUp+`"}`), harness.Done()),
		},
		{
			name: "error that is a text", code: "upstream_broken",
			script: brokenAfter(said(`"`+fromUp+`"`), harness.Done()),
		},
		{
			name: "error of content", code: "upstream_refused",
			script: brokenAfter(said(`{"code":403,"message":"`+fromUp+`"}`), harness.Done()),
		},
		{name: "finish_reason error", code: "upstream_broken", script: brokenAfter(harness.Finish("error"), harness.Done())},
		{
			name: "usage, then an error", code: "upstream_busy", usage: true,
			script: brokenAfter(harness.Usage(31, 7, 0.0002), said(`{"code":503,"message":"`+fromUp+`"}`)),
		},
		{name: "an end without finish_reason", code: "upstream_broken", script: brokenAfter()},
		{
			name: "an end in the middle of an event", code: "upstream_broken",
			script: brokenAfter(harness.Raw(`data: {"choices":[{"delta":{"content":"lo`)),
		},
		{name: "a cut", code: "upstream_broken", script: brokenAfter(harness.CloseConnection())},
		{name: "a reset", code: "upstream_broken", script: brokenAfter(harness.ResetConnection())},
		{name: "silence", code: "upstream_timeout", script: brokenAfter(harness.Hang())},
		{
			name: "an event that is no JSON", code: "upstream_broken",
			script: brokenAfter(harness.Raw("data: <html>"+fromUp+"\n\n"), harness.Hang()),
		},
		{
			name: "an event that never ends", code: "upstream_broken",
			script: brokenAfter(harness.Raw("data: "+strings.Repeat(fromUp, 1_000_000)), harness.Hang()),
		},
	}
}

func TestFaultAfterTheFirstByte(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newFaultStand(t, database)
		for _, f := range breaks() {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				testBreak(t, s, f, first)
			})
		}
	})
}

// testBreak checks that kept, the text before the fault, is streamed and saved.
func testBreak(t *testing.T, s *stand, f fault, kept string) {
	t.Helper()
	user := s.User(t)
	session := user.CreateSession()
	question := askWord + " " + t.Name()
	s.Upstream.Answer(question, f.script)

	run := user.StartRun(session, question)
	told := readTranscript(t, run.All())
	told.check(t, question, kept, true, true)
	if told.fault.AllowRetry != f.mayHelp() {
		t.Errorf("allow_retry is %t after %s", told.fault.AllowRetry, f.code)
	}
	if strings.Contains(told.fault.Message, fromUp) {
		t.Errorf("the error event contains upstream's text: %q", told.fault.Message)
	}
	if got := len(s.Upstream.Requests(question)); got != 1 {
		t.Errorf("upstream saw %d requests, want 1", got)
	}
	row := s.ended(t, run.ID, soon)
	checkFailedRow(t, row, f.code)
	if kept != "" && !row.FirstTokenAt.Valid {
		t.Error("the run has no time of its first token")
	}
	if told := row.InputTokens > 0 && row.OutputTokens > 0 && row.Cost.Float64 > 0; told != f.usage {
		t.Errorf("the run used %d and %d tokens for %v", row.InputTokens, row.OutputTokens, row.Cost)
	}
	want := []line{{"user", question}}
	if kept != "" {
		want = append(want, line{"assistant", kept})
	}
	checkHistory(t, user, session, want...)
	checkGoesOn(t, user, session)
}

// empties are answers that end normally without text.
func empties() []fault {
	comment := harness.Comment("OPENROUTER PROCESSING")
	return []fault{
		{name: "nothing but the end", code: "upstream_empty", script: harness.Script{comment, harness.Done()}},
		{
			name: "no text", code: "upstream_empty",
			script: harness.Script{comment, harness.Text(""), harness.Finish("stop"), harness.Done()},
		},
		{
			name: "no text but usage", code: "upstream_empty", usage: true,
			script: harness.Script{comment, harness.Finish("stop"), harness.Usage(12, 5, 0.0001), harness.Done()},
		},
		{
			name: "refused by a filter", code: "upstream_refused",
			script: harness.Script{comment, harness.Finish("content_filter"), harness.Done()},
		},
		{
			name: "an error after a comment", code: "upstream_busy",
			script: harness.Script{comment, harness.Raw("data: " + errorObj + "\n\n")},
		},
		{name: "a cut after a comment", code: "upstream_broken", script: harness.Script{comment, harness.CloseConnection()}},
		{name: "silence after a comment", code: "upstream_timeout", script: harness.Script{comment, harness.Hang()}},
	}
}

// A fault after the first byte is an event of the stream, even if that byte is a
// comment's. The stream is open before upstream sends more, so that the comment
// arrives by itself.
func TestFaultAfterAComment(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newFaultStand(t, database)
		for _, f := range empties() {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				user := s.User(t)
				session := user.CreateSession()
				question := askWord + " " + t.Name()
				open := make(chan struct{})
				s.Upstream.Answer(question, append(harness.Script{f.script[0], harness.Wait(open)}, f.script[1:]...))
				run := user.StartRun(session, question)
				close(open)
				told := readTranscript(t, run.All())
				told.check(t, question, "", true, true)
				if told.fault.AllowRetry != f.mayHelp() {
					t.Errorf("allow_retry is %t after %s", told.fault.AllowRetry, f.code)
				}
				row := s.ended(t, run.ID, soon)
				checkFailedRow(t, row, f.code)
				if told := row.InputTokens > 0 && row.OutputTokens > 0 && row.Cost.Float64 > 0; told != f.usage {
					t.Errorf("the run used %d and %d tokens for %v", row.InputTokens, row.OutputTokens, row.Cost)
				}
				checkHistory(t, user, session, line{"user", question})
				checkGoesOn(t, user, session)
			})
		}
	})
}

// An answer of white space only is no answer: nothing of it is shown or kept.
func TestAnswerOfWhiteSpace(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newFaultStand(t, database)
		testBreak(t, s, fault{
			script: harness.TextAnswer(" ", "\n", "\t\r\n "), code: "upstream_empty", usage: true,
		}, "")
	})
}

// unusualAnswers are unusual answers that are complete.
func unusualAnswers() map[string]harness.Script {
	const lf = "\n\n"
	chunk := func(text string) string { return `data: {"choices":[{"delta":{"content":"` + text + `"}}]}` }
	return map[string]harness.Script{
		"no [DONE]":       {harness.Text("All is "), harness.Text("well."), harness.Finish("stop")},
		"no finish":       {harness.Text("All is "), harness.Text("well."), harness.Done()},
		"cut at the end":  {harness.Text("All is "), harness.Text("well."), harness.Finish("stop"), harness.CloseConnection()},
		"no blank at end": {harness.Raw(chunk("All is well.") + lf + "data: [DONE]")},
		"CRLF":            {harness.Raw(": hi\r\n\r\n" + chunk("All is ") + "\r\n\r\n" + chunk("well.") + "\r\n\r\ndata: [DONE]\r\n\r\n")},
		"byte by byte":    byteByByte(": hi\n\n" + chunk("All is ") + lf + chunk("well.") + lf + "data: [DONE]\n\n"),
		"unknown fields": {harness.Raw("event: message\nid: 7\nretry: 3\nwhatever\n" +
			`data: {"x":{"y":[1,null]},"choices":[{"z":1e99,"logprobs":{},"delta":{"content":"All is well.","pondering":"` +
			fromUp + `","annotations":[{}],"tool_calls":null}}],"system_fingerprint":null,"usage":null,"error":null}` + lf), harness.Done()},
		"an answer that is no stream": {harness.Refuse(http.StatusOK, -1,
			`{"id":"gen-1","choices":[{"message":{"role":"assistant","content":"All is well."},"finish_reason":"stop"}]}`)},
		"many comments": append(manyComments(), harness.Text("All is well."), harness.Finish("stop"), harness.Done()),
		"after the end": {harness.Text("All is well."), harness.Finish("stop"), harness.Done(), harness.Text(fromUp)},
	}
}

func byteByByte(text string) harness.Script {
	var script harness.Script
	for _, b := range []byte(text) {
		script = append(script, harness.Raw(string(b)))
	}
	return script
}

func manyComments() harness.Script {
	var script harness.Script
	for range 700 {
		script = append(script, harness.Comment("OPENROUTER PROCESSING"))
	}
	return script
}

func TestUnusualAnswersAreComplete(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database})
		for name, script := range unusualAnswers() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				checkComplete(t, s, script)
			})
		}
	})
}

func checkComplete(t *testing.T, s *stand, script harness.Script) {
	t.Helper()
	user := s.User(t)
	session := user.CreateSession()
	s.Upstream.Answer(t.Name(), script)
	run := user.StartRun(session, t.Name())
	readTranscript(t, run.All()).check(t, t.Name(), "All is well.", true, false)
	if row := s.ended(t, run.ID, soon); row.Status != "completed" || row.FailureCode != "" || row.FailureReason != "" {
		t.Errorf("the run is %s, code %q, reason %q", row.Status, row.FailureCode, row.FailureReason)
	}
	checkHistory(t, user, session, line{"user", t.Name()}, line{"assistant", "All is well."})
}

// Upstream's comments count as activity: a model may be silent for longer than
// the time-out while they come.
func TestCommentsKeepASilentAnswerAlive(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database, Env: map[string]string{"UPSTREAM_IDLE_TIMEOUT": "2s"}})
		user := s.User(t)
		session := user.CreateSession()
		const comments, pause = 8, 400 * time.Millisecond
		script := harness.Script{harness.Text("All is ")}
		var gates []chan struct{}
		for range comments {
			gate := make(chan struct{})
			gates = append(gates, gate)
			script = append(script, harness.Wait(gate), harness.Comment("OPENROUTER PROCESSING"))
		}
		s.Upstream.Answer("Think", append(script, harness.Text("well."), harness.Finish("stop"), harness.Done()))

		run := user.StartRun(session, "Think")
		events := run.Until("thread.item.updated")
		ticker := time.NewTicker(pause)
		defer ticker.Stop()
		for _, gate := range gates {
			<-ticker.C
			close(gate)
		}
		readTranscript(t, append(events, run.All()...)).check(t, "Think", "All is well.", true, false)
	})
}

// The model, the generation id, the usage and the cost that upstream names are
// stored with the run.
func TestRunKeepsUpstreamMetadata(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database})
		user := s.User(t)
		run := user.StartRun(user.CreateSession(), "Hello")
		run.All()
		row := s.ended(t, run.ID, soon)
		if row.Status != "completed" || row.Model != "test/model" || row.UpstreamID != "gen-1763888888-test" ||
			row.InputTokens != 12 || row.OutputTokens != 4 || row.Cost.Float64 != 0.000125 || !row.FirstTokenAt.Valid {
			t.Errorf("the run's row is %+v", row)
		}
	})
}
