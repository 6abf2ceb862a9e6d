package eventlog

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/tests/redis"
)

// place is where a log is written and from where it is followed.
type place struct {
	name string
	open func(t *testing.T, o Options) (writer, reader chat.EventLog)
}

func places() []place {
	return []place{
		{"memory", func(_ *testing.T, o Options) (writer, reader chat.EventLog) {
			memory := NewMemory(o)
			return memory, memory
		}},
		{"redis, the process that executes the run", func(t *testing.T, o Options) (writer, reader chat.EventLog) {
			t.Helper()
			one := openRedis(t, redis.Start(t, redis.Options{}).URL, o)
			return one, one
		}},
		{"redis, another process", func(t *testing.T, o Options) (writer, reader chat.EventLog) {
			t.Helper()
			url := redis.Start(t, redis.Options{}).URL
			return openRedis(t, url, o), openRedis(t, url, o)
		}},
	}
}

func openRedis(t *testing.T, url string, o Options) *Redis {
	t.Helper()
	r, err := NewRedis(RedisOptions{URL: url, Memory: o, RunTime: time.Minute, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Logf("close: %v", err) // A test may have stopped Redis.
		}
	})
	return r
}

var roomy = Options{TTL: time.Minute, MaxBytes: 1 << 20}

// everyEvent has an event of each type, with values in all fields that a stream
// shows.
func everyEvent() []chat.Event {
	item, duration, index := uuid.New(), 3*time.Second, 4
	at := time.Date(2026, 11, 23, 9, 15, 5, 123_000, time.UTC)
	result, quoted := "done", "quoted"
	full := chat.Item{
		ID: item, SessionID: uuid.New(), RunID: uuid.New(), Type: chat.ItemAssistantMessage, CreatedAt: at,
		Content: []chat.Content{{Type: chat.ContentOutputText, Text: "text \u2028 <b>", Annotations: []chat.Annotation{
			{URL: "https://example.com", Title: "Example", Index: &index},
		}}},
		ToolCalls:    []chat.ToolCall{{ID: "call_1", Name: "add", Arguments: `{"a":1`, Result: &result}},
		FinishReason: chat.FinishLength, QuotedText: &quoted,
	}
	workflow := chat.Item{
		ID: uuid.New(), Type: chat.ItemWorkflow, CreatedAt: at,
		Workflow: &chat.Workflow{Thoughts: []string{"one", "two"}, Duration: duration, Done: true},
	}
	call := chat.Item{
		ID: uuid.New(), Type: chat.ItemClientToolCall, CreatedAt: at,
		ClientCall: &chat.ClientToolCall{CallID: "call_2", Name: "pick", Arguments: []byte(`{"a":[1]}`), Beside: true},
	}
	return []chat.Event{
		chat.StreamOptions{AllowCancel: true},
		chat.ItemAdded{Item: workflow},
		chat.ThoughtAdded{ItemID: workflow.ID, Index: 1, Text: "one"},
		chat.ThoughtUpdated{ItemID: workflow.ID, Index: 1, Text: "one two"},
		chat.ItemDone{Item: workflow},
		chat.Progress{Text: "Using add …"},
		chat.PartAdded{ItemID: item, Index: 0},
		&chat.TextDelta{ItemID: item, Delta: "a \"delta\""},
		chat.PartDone{ItemID: item, Text: "a \"delta\""},
		chat.ItemDone{Item: full},
		chat.ItemDone{Item: call},
		chat.SessionUpdated{Session: chat.Session{ID: uuid.New(), UserID: "ada", Title: "Title", CreatedAt: at, UpdatedAt: at}},
		chat.Notice{Message: "Stopped."},
		chat.Failed{Message: "Failed.", AllowRetry: true},
	}
}

func appendAll(l chat.RunLog, events []chat.Event) {
	for _, event := range events {
		if delta, ok := event.(*chat.TextDelta); ok {
			l.AppendText(delta.ItemID, delta.Delta)
		} else {
			l.Append(event)
		}
	}
}

// follow follows a run from the reader. The log may be on its way to Redis.
func follow(t *testing.T, reader chat.EventLog, run uuid.UUID, after int) chat.Follower {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		follower, err := reader.Follow(ctx, run, after)
		if err == nil {
			t.Cleanup(follower.Close)
			return follower
		}
		if ctx.Err() != nil || chat.CodeOf(err) != chat.CodeRunLogExpired {
			t.Fatal(err)
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// collect reads a follower until it has count events, or with a negative count
// until the end.
func collect(t *testing.T, f chat.Follower, count int) []chat.Event {
	t.Helper()
	timeout := time.After(20 * time.Second)
	all := []chat.Event{}
	for {
		events, ended := f.Poll()
		all = append(all, events...)
		if ended || count >= 0 && len(all) >= count {
			if count >= 0 && len(all) != count || ended && count >= 0 && len(events) == 0 {
				t.Errorf("%d events, ended: %t, want %d events", len(all), ended, count)
			}
			return all
		}
		select {
		case <-f.Ready():
		case <-timeout:
			t.Fatalf("%d events came, and no end", len(all))
		}
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, place := range places() {
		t.Run(place.name, func(t *testing.T) {
			t.Parallel()
			for name, clause := range map[string]func(t *testing.T, writer, reader chat.EventLog){
				"a follower joins anywhere":            joinAnywhere,
				"events of all types":                  allTypes,
				"a follower before the events":         followLive,
				"a log without events":                 emptyLog,
				"runs are separate":                    separateRuns,
				"a run that is not there":              missingRun,
				"many followers of a long log":         manyFollowers,
				"a closed follower delays no other":    closeOne,
				"the numbers of a log that grows fast": fastLog,
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					writer, reader := place.open(t, roomy)
					clause(t, writer, reader)
				})
			}
		})
	}
}

// joinAnywhere: a follower gets each event after its number once, wherever it joins:
// before the first event, between deltas, at the end, after it, and beyond.
func joinAnywhere(t *testing.T, writer, reader chat.EventLog) {
	events := everyEvent()
	for written := 1; written <= len(events); written++ {
		run := uuid.New()
		log := writer.Create(run)
		appendAll(log, events[:written])
		var followers []chat.Follower
		for after := range len(events) + 3 {
			followers = append(followers, follow(t, reader, run, after))
		}
		appendAll(log, events[written:])
		log.End()
		for after, f := range followers {
			want := events[min(after, len(events)):]
			if got := collect(t, f, -1); !reflect.DeepEqual(got, append([]chat.Event{}, want...)) {
				t.Errorf("after %d of %d: %d events, want %d", after, written, len(got), len(want))
			}
			if f.Err() != nil {
				t.Errorf("after %d of %d: error %v", after, written, f.Err())
			}
			f.Close()
		}
	}
}

func allTypes(t *testing.T, writer, reader chat.EventLog) {
	run, want := uuid.New(), everyEvent()
	log := writer.Create(run)
	appendAll(log, want)
	log.End()
	got := collect(t, follow(t, reader, run, 0), -1)
	for n := range want {
		if n >= len(got) || !reflect.DeepEqual(got[n], want[n]) {
			t.Fatalf("event %d of %d: %#v\nwant %#v", n+1, len(got), got[min(n, len(got)-1)], want[n])
		}
	}
}

func followLive(t *testing.T, writer, reader chat.EventLog) {
	run := uuid.New()
	log := writer.Create(run)
	log.Append(chat.Progress{Text: "0"})
	f := follow(t, reader, run, 0)
	collect(t, f, 1)
	for n := range 20 {
		want := chat.Progress{Text: strconv.Itoa(n)}
		log.Append(want)
		if got := collect(t, f, 1); got[0] != want {
			t.Fatalf("event %v, want %v", got[0], want)
		}
		if f.Seq() != n+2 {
			t.Fatalf("sequence number %d, want %d", f.Seq(), n+2)
		}
	}
	log.End()
	if rest := collect(t, f, -1); len(rest) != 0 {
		t.Errorf("%d events after the last", len(rest))
	}
}

func emptyLog(t *testing.T, writer, reader chat.EventLog) {
	run := uuid.New()
	writer.Create(run).End()
	if got := collect(t, follow(t, reader, run, 0), -1); len(got) != 0 {
		t.Errorf("%d events", len(got))
	}
}

func separateRuns(t *testing.T, writer, reader chat.EventLog) {
	var runs []uuid.UUID
	for n := range 20 {
		runs = append(runs, uuid.New())
		log := writer.Create(runs[n])
		log.Append(chat.Progress{Text: strconv.Itoa(n)})
		log.End()
	}
	for n, run := range runs {
		got := collect(t, follow(t, reader, run, 0), -1)
		if len(got) != 1 || got[0] != (chat.Progress{Text: strconv.Itoa(n)}) {
			t.Errorf("run %d: events %v", n, got)
		}
	}
}

func missingRun(t *testing.T, _, reader chat.EventLog) {
	if _, err := reader.Follow(t.Context(), uuid.New(), 0); chat.CodeOf(err) != chat.CodeRunLogExpired {
		t.Errorf("error %v", err)
	}
}

func manyFollowers(t *testing.T, writer, reader chat.EventLog) {
	const deltas, followers = 2000, 50
	run, item := uuid.New(), uuid.New()
	log := writer.Create(run)
	log.Append(chat.PartAdded{ItemID: item})
	var group sync.WaitGroup
	texts := make([]string, followers)
	for n := range followers {
		f := follow(t, reader, run, 1)
		group.Go(func() { texts[n] = read(t, f) })
	}
	var text strings.Builder
	for n := range deltas {
		fmt.Fprint(&text, n, " ")
		log.AppendText(item, text.String())
	}
	log.End()
	group.Wait()
	for n, got := range texts {
		if got != text.String() {
			t.Errorf("follower %d read %d bytes, want %d", n, len(got), text.Len())
		}
	}
}

func closeOne(t *testing.T, writer, reader chat.EventLog) {
	run := uuid.New()
	log := writer.Create(run)
	log.Append(chat.Progress{Text: "1"})
	first, second := follow(t, reader, run, 0), follow(t, reader, run, 0)
	first.Close()
	first.Close()
	log.Append(chat.Progress{Text: "2"})
	collect(t, second, 2)
	second.Close()
	third := follow(t, reader, run, 1)
	log.End()
	if got := collect(t, third, -1); len(got) != 1 {
		t.Errorf("%d events", len(got))
	}
}

// fastLog: a follower that joins in the middle of many deltas misses none.
func fastLog(t *testing.T, writer, reader chat.EventLog) {
	const deltas = 5000
	run, item := uuid.New(), uuid.New()
	log := writer.Create(run)
	var group sync.WaitGroup
	group.Go(func() {
		var text strings.Builder
		for range deltas {
			text.WriteByte('x')
			log.AppendText(item, text.String())
		}
		log.End()
	})
	for after := 0; after < deltas; after += 500 {
		if got := len(collect(t, follow(t, reader, run, after), -1)); got != deltas-after {
			t.Errorf("after %d: %d events, want %d", after, got, deltas-after)
		}
	}
	group.Wait()
}

// A log is gone some time after its end, in each process.
func TestLogsExpire(t *testing.T) {
	t.Parallel()
	for _, place := range places() {
		t.Run(place.name, func(t *testing.T) {
			t.Parallel()
			writer, reader := place.open(t, Options{TTL: 300 * time.Millisecond, MaxBytes: 1 << 20})
			run := uuid.New()
			log := writer.Create(run)
			log.Append(chat.Progress{Text: "1"})
			log.End()
			f := follow(t, reader, run, 0)
			collect(t, f, -1)
			f.Close()
			for {
				f, err := reader.Follow(t.Context(), run, 0)
				if chat.CodeOf(err) == chat.CodeRunLogExpired {
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				f.Close()
			}
		})
	}
}
