package streams_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

const (
	streams    = 200
	perUser    = 10
	smallCount = 5_000
	hugeBytes  = 200 << 10
)

// stream is one of many runs at once, and its expected answer.
type stream struct {
	user     *harness.User
	session  uuid.UUID
	question string
	answer   string
}

// hard are texts that careless encoding would change.
func hard() []string {
	return []string{
		"plain ", "Grüße, ", "日本語のテキスト", "Ελληνικά ", "עברית ", "हिन्दी ", "👩‍👩‍👧‍👦", "🏳️‍🌈 ", "é", "\u2028\u2029",
		"one\r\ntwo\rthree\nfour", "\t", `"quoted" \back\slash\ /`, "data: [DONE]\n\n", ": comment\n\n", "\ufeff",
		`{"error":{"code":500}}`, "<script>alert(1)</script>&amp;", "\u0001\u001f\u007f", "\ufffd", "  ", "𝒳𝓎𝓏 ", "%00%0d%0a",
	}
}

// prepare makes the answer of stream n and the script that sends it. Every answer
// waits in its middle until all streams have begun.
func prepare(n int, all <-chan struct{}) (string, harness.Script) {
	random := rand.New(rand.NewPCG(uint64(n), 1)) //nolint:gosec // repeatable on purpose
	var pieces []string
	switch n % (streams / 2) {
	case 0:
		for i := range smallCount {
			pieces = append(pieces, string(rune('a'+i%26)))
		}
	case 1:
		pieces = append(pieces, strings.Repeat("é😀x", hugeBytes/7))
	default:
		texts := hard()
		for range 10 + random.IntN(30) {
			pieces = append(pieces, texts[random.IntN(len(texts))])
		}
	}
	script := harness.Script{harness.Comment("OPENROUTER PROCESSING"), harness.Text(fmt.Sprintf("%d: ", n)), harness.Wait(all)}
	for _, piece := range pieces {
		script = append(script, sayOnWire(random, n, piece)...)
	}
	answer := fmt.Sprintf("%d: %s", n, strings.Join(pieces, ""))
	return answer, append(script, harness.Finish("stop"), harness.Usage(3, len(pieces), 0.001), harness.Done())
}

// sayOnWire sends a delta in one of several equivalent forms of JSON and SSE.
func sayOnWire(random *rand.Rand, n int, piece string) harness.Script {
	text, err := json.Marshal(piece)
	if err != nil {
		panic(err)
	}
	event := `{"id":"gen-` + strconv.Itoa(n) + `","choices":[{"index":0,"delta":{"content":` + string(text) + `}}]}`
	switch n % 4 {
	case 1: // every character that is not ASCII as \u escapes, in pairs where it takes two
		event = escape(event)
	case 2: // CRLF
		return harness.Script{harness.Raw("data: " + event + "\r\n\r\n")}
	case 3: // cut anywhere, within a character or an escape too
		frame := "data: " + event + "\n\n"
		at := random.IntN(len(frame))
		return harness.Script{harness.Raw(frame[:at]), harness.Raw(frame[at:])}
	}
	return harness.Script{harness.Raw("data: " + event + "\n\n")}
}

func escape(text string) string {
	var out strings.Builder
	for _, r := range text {
		switch {
		case r < 0x80:
			out.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			fmt.Fprintf(&out, `\u%04X\u%04X`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		}
	}
	return out.String()
}

// Two hundred streams are live at once, ten of each user, and each receives its
// own complete answer.
func TestManyStreamsAtOnce(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database})
		all := make(chan struct{})
		var list []stream
		var user *harness.User
		for n := range streams {
			if n%perUser == 0 {
				user = s.User(t)
			}
			answer, script := prepare(n, all)
			one := stream{user: user, session: user.CreateSession(), question: fmt.Sprintf("Question %d", n), answer: answer}
			s.Upstream.Answer(one.question, script)
			list = append(list, one)
		}
		begin := time.Now()
		var live, ended sync.WaitGroup
		live.Add(len(list))
		for _, one := range list {
			ended.Go(func() { follow(t, s, one, &live) })
		}
		live.Wait()
		opened := time.Since(begin)
		close(all)
		ended.Wait()
		t.Logf("%d streams were open after %s and complete after %s", streams,
			opened.Round(time.Millisecond), time.Since(begin).Round(time.Millisecond))
		for _, one := range list {
			checkHistory(t, one.user, one.session, line{"user", one.question}, line{"assistant", one.answer})
		}
	})
}

// follow reads a stream to its end. It marks live once the first delta has come.
func follow(t *testing.T, s *stand, one stream, live *sync.WaitGroup) {
	t.Helper()
	isLive := sync.OnceFunc(live.Done)
	defer isLive()
	run := sendRun(t, s, one.user, one.session, one.question)
	run.open(t)
	told := &transcript{}
	for run.next(t, told) != endOfStream {
		if len(told.deltas) > 0 {
			isLive()
		}
	}
	told.check(t, one.question, one.answer, true, false)
}
