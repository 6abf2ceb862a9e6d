package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/child"
)

const (
	protocolPath = "/api/v1/chatkit"
	// pythonPath is where `make tests/chatkit/.venv` puts the reference's Python.
	pythonPath = "tests/chatkit/.venv/bin/python"

	listReaders = 8
	// A list has threadsEach threads, a thread itemsEach items.
	threadsEach = 20
	itemsEach   = 20
	// streamDeltas is the length of a short stream.
	streamDeltas = 10
)

// measureProtocol compares the ChatKit protocol's endpoint with the server of its
// Python package, which keeps everything in memory.
func measureProtocol(ctx context.Context, l *lab) error {
	ways, err := l.startProtocolServers(ctx)
	if err != nil {
		return err
	}
	err = l.protocolRates(ctx, ways)
	if err == nil {
		err = l.protocolFirst(ctx, ways)
	}
	if err = errors.Join(err, stopAll(ways)); err != nil {
		return err
	}
	// What was measured so far left its memory behind.
	if ways, err = l.startProtocolServers(ctx); err != nil {
		return err
	}
	return errors.Join(l.protocolMemory(ctx, ways), stopAll(ways))
}

// startProtocolServers starts the server on each engine, and the reference twice: the
// package as it comes is last.
func (l *lab) startProtocolServers(ctx context.Context) ([]*way, error) {
	var ways []*way
	for _, e := range engines() {
		databaseURL, err := l.newDatabase(ctx, e)
		if err != nil {
			return nil, errors.Join(err, stopAll(ways))
		}
		w, err := l.startServer(ctx, databaseURL, "MAX_SESSIONS_PER_USER=1000000")
		if err != nil {
			return nil, errors.Join(err, stopAll(ways))
		}
		ways = append(ways, protocolWay(w.name, w.process, &l.tokens))
	}
	for _, reference := range []struct{ name, setting string }{
		{"the Python package, requests parsed faster", "REFERENCE_AS_IT_COMES=0"},
		{"the Python package as it comes", "REFERENCE_AS_IT_COMES=1"},
	} {
		p, err := l.startReference(ctx, reference.setting)
		if err != nil {
			return nil, errors.Join(err, stopAll(ways))
		}
		ways = append(ways, protocolWay(reference.name, p, &l.tokens))
	}
	return ways, nil
}

func (l *lab) startReference(ctx context.Context, setting string) (*process, error) {
	python, err := filepath.Abs(pythonPath)
	if err != nil {
		return nil, fmt.Errorf("find the reference: %w", err)
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, python, "-m", "uvicorn", "reference.app:app", //nolint:gosec // words of ours
		"--host", host, "--port", port, "--loop", "uvloop", "--http", "httptools",
		"--no-access-log", "--log-level", "warning", "--lifespan", "off", "--timeout-graceful-shutdown", "1", "--backlog", "4096")
	cmd.Dir = "tests/chatkit"
	cmd.Env = append(environment(), "OPENAI_BASE_URL=http://"+l.upstream.address+"/api/v1", "OPENAI_API_KEY=bench",
		"REFERENCE_TOOLS=0", setting, "PYTHONDONTWRITEBYTECODE=1")
	p := &process{name: "reference", address: address, cmd: cmd, stderr: &child.Tail{}, exited: make(chan struct{})}
	cmd.Stderr = p.stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the reference (make test-chatkit installs it): %w", err)
	}
	go p.wait()
	if err := p.await(ctx, "/readyz"); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// protocolWay sends requests of the ChatKit protocol. Each creates a thread for a
// new user.
func protocolWay(name string, p *process, tokens *tokens) *way {
	return &way{name: name, process: p, requests: func(_ context.Context, n int, a answer) ([][]byte, error) {
		question, err := a.question()
		if err != nil {
			return nil, err
		}
		requests := make([][]byte, n)
		for i := range requests {
			token, err := tokens.next()
			if err != nil {
				return nil, err
			}
			if requests[i], err = protocolRequest(token, "threads.create", map[string]any{"input": userInput(question)}); err != nil {
				return nil, err
			}
		}
		return requests, nil
	}}
}

func userInput(text string) map[string]any {
	return map[string]any{
		"content":     []any{map[string]any{"type": "input_text", "text": text}},
		"attachments": []any{}, "inference_options": map[string]any{},
	}
}

func protocolRequest(token, kind string, params map[string]any) ([]byte, error) {
	body, err := json.Marshal(map[string]any{"type": kind, "params": params})
	if err != nil {
		return nil, fmt.Errorf("write a request: %w", err)
	}
	return postRequest(protocolPath, token, body), nil
}

// protocolReaders are requests for lists of threads, for items, and for streams.
func (l *lab) protocolReaders(ctx context.Context, w *way) (map[string]*reader, error) {
	c, err := dial(ctx, w.process.address)
	if err != nil {
		return nil, err
	}
	defer c.close()
	lists, items := &reader{name: w.name, process: w.process}, &reader{name: w.name, process: w.process}
	for range listReaders {
		token, err := l.tokens.next()
		if err != nil {
			return nil, err
		}
		list, err := protocolRequest(token, "threads.list", map[string]any{})
		if err != nil {
			return nil, err
		}
		item, err := fillThreads(c, token, list)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		lists.lists, items.lists = append(lists.lists, list), append(items.lists, item)
	}
	requests, err := w.requests(ctx, l.size.clients, answer{Deltas: streamDeltas})
	if err != nil {
		return nil, err
	}
	streams := &reader{name: w.name, process: w.process, lists: requests}
	return map[string]*reader{"lists of threads": lists, "items of a thread": items, "short streams": streams}, nil
}

// fillThreads makes a user's threads and returns a request for the items of
// one.
func fillThreads(c *client, token string, list []byte) ([]byte, error) {
	question, err := answer{Deltas: 3}.question()
	if err != nil {
		return nil, err
	}
	for range threadsEach {
		create, err := protocolRequest(token, "threads.create", map[string]any{"input": userInput(question)})
		if err != nil {
			return nil, err
		}
		if err := finish(c, create); err != nil {
			return nil, err
		}
	}
	body, err := c.ask(list)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("read the list: %w", err)
	}
	var page struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.Unmarshal(text, &page); err != nil || len(page.Data) != threadsEach {
		return nil, fmt.Errorf("the list is %s", text)
	}
	for range itemsEach/2 - 1 {
		add, err := protocolRequest(token, "threads.add_user_message",
			map[string]any{"thread_id": page.Data[0].ID, "input": userInput(question)})
		if err != nil {
			return nil, err
		}
		if err := finish(c, add); err != nil {
			return nil, err
		}
	}
	return protocolRequest(token, "items.list", map[string]any{"thread_id": page.Data[0].ID})
}

// finish reads a stream to its end, and sees that it was an answer.
func finish(c *client, request []byte) error {
	body, err := c.ask(request)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(body)
	if err == nil && !bytes.Contains(text, []byte(`"type":"assistant_message"`)) {
		err = fmt.Errorf("the answer is %s", text)
	}
	return err
}

// protocolRates loads each way by turns.
func (l *lab) protocolRates(ctx context.Context, ways []*way) error {
	t := table{head: []string{"what", "way", "a second", "of the package's", "p50", "p99", "CPU µs each"}}
	readers := make([]map[string]*reader, len(ways))
	for n, w := range ways {
		var err error
		if readers[n], err = l.protocolReaders(ctx, w); err != nil {
			return err
		}
	}
	for _, what := range []string{"lists of threads", "items of a thread", "short streams"} {
		found := make([]loaded, len(ways))
		for round := range l.size.rounds + 1 {
			if round == 1 { // the first was a warm-up
				found = make([]loaded, len(ways))
			}
			l.progressf("protocol: %s, round %d of %d", what, round, l.size.rounds)
			for n := range ways {
				if err := l.ask(ctx, readers[n][what], kindList, &found[n]); err != nil {
					return err
				}
			}
		}
		last := len(ways) - 1
		for n, w := range ways {
			rate := ratio(found[n].rates, found[last].rates)
			spread := medianSpread(found[n].spreads)
			t.add(what, w.name, thousands(median(found[n].rates)), fmt.Sprintf("%.1f times", rate),
				milliseconds(spread.p50), milliseconds(spread.p99), fmt.Sprintf("%.0f", found[n].perRequest()))
			if aims := []float64{20, 10}; n < len(aims) {
				aim := aims[n]
				l.report.aim(what+" of the package's rate, "+w.short(), fmt.Sprintf("%.1f times", rate),
					fmt.Sprintf("%.0f times or more", aim), rate >= aim)
			}
		}
	}
	l.report.part("The ChatKit protocol beside the Python package's server",
		fmt.Sprintf("%d clients on kept connections, %s a round, %d rounds. A list has %d threads, a page %d items; a short stream makes "+
			"a thread and has %d deltas. The package's server is under uvicorn with uvloop and httptools, keeps all in memory, "+
			"and checks no token. By itself it makes its parser of requests anew for each; the other is spared that.",
			l.size.clients, l.size.requestTime, l.size.rounds, threadsEach, itemsEach, streamDeltas), t)
	return nil
}

// protocolFirst times the first piece of text beside live streams.
func (l *lab) protocolFirst(ctx context.Context, ways []*way) error {
	t := table{head: []string{"live streams", "way", "first text p50", "p99"}}
	for _, n := range l.size.protocolStreams {
		for _, w := range ways {
			l.progressf("protocol: first text beside %d streams, %s", n, w.name)
			found, err := l.firstText(ctx, w, n)
			if err != nil {
				return fmt.Errorf("%s, %d streams: %w", w.name, n, err)
			}
			t.add(thousands(float64(n)), w.name, milliseconds(found.p50), milliseconds(found.p99))
		}
	}
	l.report.part("Time to the first text of a new thread",
		fmt.Sprintf("Beside streams with a delta a second each. %d threads, one after another; less the upstream's own time.",
			l.size.protocolProbes), t)
	return nil
}

func (l *lab) firstText(ctx context.Context, w *way, n int) (spread, error) {
	background, err := startLive(ctx, w, n-1, 1, answer{Deltas: 1 << 20, Burst: 1, Pace: time.Second, Stamp: true})
	if err != nil {
		return spread{}, err
	}
	defer background.close()
	requests, err := w.requests(ctx, l.size.protocolProbes, answer{Deltas: probeDeltas, Stamp: true})
	if err != nil {
		return spread{}, err
	}
	c, err := dial(ctx, w.process.address)
	if err != nil {
		return spread{}, err
	}
	defer c.close()
	var taken []time.Duration
	for _, request := range requests {
		sent := time.Now()
		body, err := c.ask(request)
		if err != nil {
			return spread{}, err
		}
		var first time.Time
		err = readStamps(body, func(line []byte, at time.Time) {
			if _, ok := findStamp(line, receivedMark); ok && first.IsZero() {
				first = at
			}
		})
		if err != nil {
			return spread{}, err
		}
		taken = append(taken, first.Sub(sent))
	}
	return spreadOf(taken), nil
}

// protocolMemory holds streams open.
func (l *lab) protocolMemory(ctx context.Context, ways []*way) error {
	t := table{head: []string{"way", "streams", "a stream"}}
	n := l.size.protocolMemoryStreams
	for _, w := range ways {
		l.progressf("protocol: memory, %s", w.name)
		before, with, err := l.holdStreams(ctx, w, n)
		if err != nil {
			return err
		}
		t.add(w.name, thousands(float64(n)), kilobytes((with-before)/int64(n)))
	}
	l.report.part("Memory of live streams of the protocol",
		fmt.Sprintf("Each is a new thread's; it has had %d deltas and gets one more every %s. Resident memory of the process, "+
			"the mean of %s, less what it was before.", memoryBurst, memoryPace, l.size.memorySettle), t)
	return nil
}
