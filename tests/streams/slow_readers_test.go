package streams_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// bulk returns a text of that many bytes without repetition.
func bulk(size int) string {
	var text strings.Builder
	for n := 0; text.Len() < size; n++ {
		fmt.Fprintf(&text, "%08d The quick brown fox jumps over the lazy dog, again and again.\n", n)
	}
	return text.String()[:size]
}

// bulkScript sends the text in large deltas, as fast as it is read.
func bulkScript(text string) harness.Script {
	const piece = 64 << 10
	var script harness.Script
	for len(text) > 0 {
		n := min(piece, len(text))
		script = append(script, harness.Text(text[:n]))
		text = text[n:]
	}
	return append(script, harness.Finish("stop"), harness.Done())
}

// sendSlowRun starts a run over a connection with small buffers, and reads only
// the head of the answer.
func sendSlowRun(t *testing.T, s *stand, user *harness.User, session uuid.UUID, question string) *wireRun {
	t.Helper()
	run := dialRun(t, s, user, session, question, bufferLittle)
	run.send(t)
	run.open(t)
	return run
}

// bufferLittle makes the system buffer little for a reader: segments have the size
// of a real network, since those of the loopback make it buffer megabytes.
func bufferLittle(_, _ string, c syscall.RawConn) error {
	const segment, buffer = 1400, 16 << 10
	var err error
	controlErr := c.Control(func(fd uintptr) {
		err = errors.Join(
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, segment),
			syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, buffer))
	})
	return errors.Join(controlErr, err)
}

// Clients that do not read delay neither upstream, nor their own runs, nor other
// streams; when they read again they receive everything in order.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	// An answer of this size is sent three times over: its deltas, and
	// its whole text twice. That is more than the system buffers for a reader.
	const readers, size = 4, 1 << 20
	s := newStand(t, harness.Options{Database: harness.SQLite})
	user, other := s.User(t), s.User(t)
	otherSession := other.CreateSession()
	other.Say(otherSession, "Warm up")
	text := bulk(size)
	s.Upstream.Answer("Tell me much", bulkScript(text))

	var runs []*wireRun
	var sessions []uuid.UUID
	for range readers {
		session := user.CreateSession()
		sessions = append(sessions, session)
		runs = append(runs, sendSlowRun(t, s, user, session, "Tell me much"))
	}
	longest := time.Duration(0)
	for n := range 20 {
		begin := time.Now()
		question := fmt.Sprintf("Meanwhile %d", n)
		readTranscript(t, other.Say(otherSession, question)).check(t, question, "Hello from the model.", false, false)
		longest = max(longest, time.Since(begin))
	}
	for _, run := range runs {
		if row := s.ended(t, run.id(), 2*soon); row.Status != "completed" {
			t.Errorf("the run of a slow reader is %s, code %q", row.Status, row.FailureCode)
		}
	}
	if longest > soon {
		t.Errorf("another user's run took %s", longest)
	}
	t.Logf("another user's runs took %s at most beside %d clients that read nothing", longest.Round(time.Millisecond), readers)
	var reading sync.WaitGroup
	for _, run := range runs {
		reading.Go(func() { run.until(t, endOfStream).check(t, "Tell me much", text, true, false) })
	}
	reading.Wait()
	for _, session := range sessions {
		checkHistory(t, user, session, line{"user", "Tell me much"}, line{"assistant", text})
	}
}

// An answer without end is cut at the limit of its memory, even if its client does
// not read, and the text so far is kept.
func TestEndlessAnswerIsCut(t *testing.T) {
	t.Parallel()
	// The server accepts 16 MiB, holds some copies of it while it saves it, and has
	// garbage that is not collected yet.
	const most, memory = 16 << 20, 800 << 20
	s := newStand(t, harness.Options{Database: harness.SQLite})
	user := s.User(t)
	before := residentBytes(t, s.PID())
	s.Upstream.Answer("Go on for ever", endlessScript(t))
	run := sendSlowRun(t, s, user, user.CreateSession(), "Go on for ever")
	checkFailedRow(t, s.ended(t, run.id(), 3*soon), "answer_too_long")
	within(t, soon, "upstream's connection is closed", s.Upstream.Await(t, "Go on for ever").Done())
	grown := residentBytes(t, s.PID()) - before
	if grown > memory {
		t.Errorf("the server grew by %d MiB for one answer", grown>>20)
	}
	kept := s.answerBytes(t, run.id())
	if kept < most*9/10 || kept > most*11/10 {
		t.Errorf("%d bytes of the answer were kept, want some %d", kept, most)
	}
	t.Logf("the server kept %d bytes of an endless answer and grew by %d MiB", kept, grown>>20)
	if err := run.conn.Close(); err != nil {
		t.Fatal(err)
	}
}

// endlessScript sends much more than the server accepts.
func endlessScript(t *testing.T) harness.Script {
	t.Helper()
	text := strings.Repeat("On and on. ", 40_000)
	var script harness.Script
	for range 100 {
		script = append(script, harness.Text(text))
	}
	return script
}

// answerBytes returns the length of a run's answer.
func (s *stand) answerBytes(t *testing.T, run string) int {
	t.Helper()
	size := 0
	err := s.db.QueryRowContext(t.Context(), s.query(`SELECT length(CAST(content AS text)) FROM items
		WHERE type = 'assistant_message' AND run_id = ?`), run).Scan(&size)
	if err != nil {
		t.Fatalf("read the answer of run %s: %v", run, err)
	}
	return size
}

// A client that reads slowly stays connected, however long the event is that it
// reads: the last events of an answer contain its whole text.
func TestSlowReaderReceivesAll(t *testing.T) {
	t.Parallel()
	s := newStand(t, harness.Options{Database: harness.SQLite})
	user := s.User(t)
	session := user.CreateSession()
	text := bulk(3 << 20)
	s.Upstream.Answer("Tell me much", bulkScript(text))
	run := sendSlowRun(t, s, user, session, "Tell me much")
	told := &transcript{}
	for said := 0; said < len(text); {
		if run.next(t, told) == textDelta {
			said += len(told.deltas[len(told.deltas)-1])
		}
	}
	if row := s.ended(t, run.id(), soon); row.Status != "completed" {
		t.Fatalf("the run is %s, code %q", row.Status, row.FailureCode)
	}
	// Some kilobytes every three seconds for more than half a minute, and then
	// the rest.
	ticker := time.NewTicker(3 * time.Second)
	defer ticker.Stop()
	var taken bytes.Buffer
	for range 12 {
		<-ticker.C
		if _, err := io.CopyN(&taken, run.body, 128<<10); err != nil {
			t.Fatalf("read the stream after %d bytes more: %v", taken.Len(), err)
		}
	}
	run.body = bufio.NewReader(io.MultiReader(&taken, run.body))
	for run.next(t, told) != endOfStream {
		continue
	}
	told.check(t, "Tell me much", text, true, false)
}

// writeTimeout is how long a client may read nothing before the server counts it as
// disconnected.
const writeTimeout = 30 * time.Second

// A client that reads nothing for half a minute counts as disconnected. With the
// ChatKit protocol its run is cancelled.
func TestIdleReaderIsDisconnected(t *testing.T) {
	t.Parallel()
	s := newStand(t, harness.Options{Database: harness.SQLite})
	user := s.User(t)
	session := user.CreateSession()
	run, text := sendIdleRun(t, dialChatKit, s, user, session, harness.Hang())
	asked := s.Upstream.Await(t, "Tell me much")
	took := within(t, writeTimeout+shutdownGrace, "upstream's connection is closed", asked.Done())
	t.Logf("upstream's connection was closed %s after its last word", took.Round(time.Millisecond))
	row := s.ended(t, run.id(), soon)
	if row.Status != "cancelled" || row.FailureCode != "client_left" {
		t.Errorf("the run is %s, code %q", row.Status, row.FailureCode)
	}
	checkHistory(t, user, session, line{"user", "Tell me much"}, line{"assistant", text})
	run.ends(t, soon)
	checkGoesOn(t, user, session)
}

// With the REST API the run of such a client goes on.
func TestIdleReaderLeavesItsRun(t *testing.T) {
	t.Parallel()
	s := newStand(t, harness.Options{Database: harness.SQLite})
	user := s.User(t)
	session := user.CreateSession()
	goOn := make(chan struct{})
	run, text := sendIdleRun(t, dialRun, s, user, session,
		harness.Wait(goOn), harness.Text(" The end."), harness.Finish("stop"), harness.Done())
	awaitDetached(t, s, run.id(), writeTimeout+shutdownGrace)
	checkRunning(t, s, run.id())
	close(goOn)
	if row := s.ended(t, run.id(), soon); row.Status != "completed" {
		t.Errorf("the run is %s, code %q", row.Status, row.FailureCode)
	}
	checkHistory(t, user, session, line{"user", "Tell me much"}, line{"assistant", text + " The end."})
	checkGoesOn(t, user, session)
}

// sendIdleRun starts a run of a client that does not read, and returns when upstream
// has sent much text. The rest are the steps of upstream after that.
func sendIdleRun(
	t *testing.T, dial dialFunc, s *stand, user *harness.User, session uuid.UUID, rest ...harness.Step,
) (run *wireRun, text string) {
	t.Helper()
	text = bulk(2 << 20)
	script := bulkScript(text)
	said := make(chan struct{})
	script = append(script[:len(script)-2:len(script)-2], harness.Signal(said))
	s.Upstream.Answer("Tell me much", append(script, rest...), harness.DefaultScript())
	run = dial(t, s, user, session, "Tell me much", bufferLittle)
	run.send(t)
	run.open(t)
	within(t, soon, "upstream has told all", said)
	return run, text
}
