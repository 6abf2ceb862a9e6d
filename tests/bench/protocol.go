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

	"github.com/chatkit-rest/chatkit-rest/tests/bench/database"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/loadclient"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/script"
	"github.com/chatkit-rest/chatkit-rest/tests/child"
)

const (
	protocolPath = "/api/v1/chatkit"
	// pythonPath is the Python that `make tests/chatkit/.venv` installs.
	pythonPath = "tests/chatkit/.venv/bin/python"

	// listUsers is the number of users with threads.
	listUsers = 8
	// A user has threadsEach threads, and one of them has itemsEach items.
	threadsEach = 20
	itemsEach   = 20
	// streamDeltas is the length of a short stream.
	streamDeltas = 10
)

// measureProtocol compares the endpoint of the ChatKit protocol with the server of
// the Python package, which stores everything in memory.
func measureProtocol(ctx context.Context, b *bench) error {
	targets, err := b.startProtocolServers(ctx)
	if err != nil {
		return err
	}
	err = b.protocolRates(ctx, targets)
	if err == nil {
		err = b.protocolFirst(ctx, targets)
	}
	if err = errors.Join(err, stopAll(targets)); err != nil {
		return err
	}
	// New processes, since the measurements so far grew the memory of the old ones.
	if targets, err = b.startProtocolServers(ctx); err != nil {
		return err
	}
	return errors.Join(b.protocolMemory(ctx, targets), stopAll(targets))
}

// startProtocolServers starts the server on each engine, and two variants of the
// reference, of which the unmodified package is the last in the list.
func (b *bench) startProtocolServers(ctx context.Context) ([]*target, error) {
	var targets []*target
	for _, e := range database.Engines() {
		databaseURL, err := b.newDatabase(ctx, e)
		if err != nil {
			return nil, errors.Join(err, stopAll(targets))
		}
		t, err := b.startServer(ctx, databaseURL, "MAX_SESSIONS_PER_USER=1000000")
		if err != nil {
			return nil, errors.Join(err, stopAll(targets))
		}
		targets = append(targets, protocolTarget(t.name, t.process, &b.tokens))
	}
	for _, reference := range []struct{ name, setting string }{
		{"the Python package with a reused parser", "REFERENCE_AS_IT_COMES=0"},
		{"the unmodified Python package", "REFERENCE_AS_IT_COMES=1"},
	} {
		p, err := b.startReference(ctx, reference.setting)
		if err != nil {
			return nil, errors.Join(err, stopAll(targets))
		}
		targets = append(targets, protocolTarget(reference.name, p, &b.tokens))
	}
	return targets, nil
}

func (b *bench) startReference(ctx context.Context, setting string) (*process, error) {
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
	cmd := exec.CommandContext(ctx, python, "-m", "uvicorn", "reference.app:app", //nolint:gosec // constant arguments
		"--host", host, "--port", port, "--loop", "uvloop", "--http", "httptools",
		"--no-access-log", "--log-level", "warning", "--lifespan", "off", "--timeout-graceful-shutdown", "1", "--backlog", "4096")
	cmd.Dir = "tests/chatkit"
	cmd.Env = append(environment(), "OPENAI_BASE_URL=http://"+b.upstream.address+"/api/v1", "OPENAI_API_KEY=bench",
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

// protocolTarget sends requests of the ChatKit protocol, each of which creates a
// thread for a new user.
func protocolTarget(name string, p *process, tokens *tokens) *target {
	return &target{name: name, process: p, requests: func(_ context.Context, n int, a script.Answer) ([][]byte, error) {
		question, err := a.Text()
		if err != nil {
			return nil, err
		}
		requests := make([][]byte, n)
		for i := range requests {
			token, err := tokens.forNewUser()
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
		return nil, fmt.Errorf("encode a request: %w", err)
	}
	return loadclient.PostRequest(protocolPath, token, body), nil
}

// The kinds of requests of the ChatKit protocol.
const (
	kindThreads = "lists of threads"
	kindItems   = "items of a thread"
	kindStreams = "short streams"
)

// protocolLoad creates threads and returns the requests for their lists and items,
// and for short streams.
func (b *bench) protocolLoad(ctx context.Context, t *target) (*loadTarget, error) {
	c, err := loadclient.Dial(ctx, t.process.address)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	load := newLoadTarget(t.name, t.process)
	for range listUsers {
		token, err := b.tokens.forNewUser()
		if err != nil {
			return nil, err
		}
		list, err := protocolRequest(token, "threads.list", map[string]any{})
		if err != nil {
			return nil, err
		}
		items, err := createThreads(c, token, list)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		load.add(kindThreads, list)
		load.add(kindItems, items)
	}
	load.requests[kindStreams], err = t.requests(ctx, b.scale.clients, script.Answer{Deltas: streamDeltas})
	return load, err
}

// createThreads creates a user's threads and returns a request for the items of
// one.
func createThreads(c *loadclient.Client, token string, list []byte) ([]byte, error) {
	question, err := script.Answer{Deltas: 3}.Text()
	if err != nil {
		return nil, err
	}
	for range threadsEach {
		create, err := protocolRequest(token, "threads.create", map[string]any{"input": userInput(question)})
		if err != nil {
			return nil, err
		}
		if err := readAnswer(c, create); err != nil {
			return nil, err
		}
	}
	body, err := c.Do(list)
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
		if err := readAnswer(c, add); err != nil {
			return nil, err
		}
	}
	return protocolRequest(token, "items.list", map[string]any{"thread_id": page.Data[0].ID})
}

// readAnswer sends a request and checks that its stream has an answer.
func readAnswer(c *loadclient.Client, request []byte) error {
	body, err := c.Do(request)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(body)
	if err == nil && !bytes.Contains(text, []byte(`"type":"assistant_message"`)) {
		err = fmt.Errorf("the answer is %s", text)
	}
	return err
}

// protocolRates measures the rate of each kind of request.
func (b *bench) protocolRates(ctx context.Context, targets []*target) error {
	results := table{header: []string{"requests", "target", "a second", "of the package's", "p50", "p99", "CPU µs each"}}
	loads := make([]*loadTarget, len(targets))
	for n, t := range targets {
		var err error
		if loads[n], err = b.protocolLoad(ctx, t); err != nil {
			return err
		}
	}
	for _, kind := range []string{kindThreads, kindItems, kindStreams} {
		loadResults := make([]loadResult, len(targets))
		for round := range b.scale.rounds + 1 {
			if round == 1 { // the first was a warm-up
				loadResults = make([]loadResult, len(targets))
			}
			b.progressf("protocol: %s, round %d of %d", kind, round, b.scale.rounds)
			for n := range targets {
				if err := b.measureLoad(ctx, loads[n], kind, &loadResults[n]); err != nil {
					return err
				}
			}
		}
		last := len(targets) - 1
		for n, t := range targets {
			rate := ratio(loadResults[n].rates, loadResults[last].rates)
			spread := medianSpread(loadResults[n].spreads)
			results.add(kind, t.name, thousands(median(loadResults[n].rates)), fmt.Sprintf("%.1f times", rate),
				milliseconds(spread.p50), milliseconds(spread.p99), fmt.Sprintf("%.0f", loadResults[n].perRequest()))
			if aims := []float64{20, 10}; n < len(aims) {
				aim := aims[n]
				b.report.addAim(kind+" of the package's rate, "+t.short(), fmt.Sprintf("%.1f times", rate),
					fmt.Sprintf("%.0f times or more", aim), rate >= aim)
			}
		}
	}
	b.report.addSection("The ChatKit protocol beside the Python package's server",
		fmt.Sprintf("%d clients on kept-alive connections, %s a round, %d rounds. A list has %d threads, a page %d items; a short stream creates "+
			"a thread and has %d deltas. The package's server runs under uvicorn with uvloop and httptools, stores everything in "+
			"memory and checks no token. The unmodified package creates a new request parser for each request; the variant reuses it.",
			b.scale.clients, b.scale.requestTime, b.scale.rounds, threadsEach, itemsEach, streamDeltas), results)
	return nil
}

// protocolFirst measures the time to the first text delta beside live streams.
func (b *bench) protocolFirst(ctx context.Context, targets []*target) error {
	results := table{header: []string{"live streams", "target", "first text p50", "p99"}}
	for _, n := range b.scale.protocolStreams {
		for _, t := range targets {
			b.progressf("protocol: first text beside %d streams, %s", n, t.name)
			firstText, err := b.measureFirstText(ctx, t, n)
			if err != nil {
				return fmt.Errorf("%s, %d streams: %w", t.name, n, err)
			}
			results.add(thousands(float64(n)), t.name, milliseconds(firstText.p50), milliseconds(firstText.p99))
		}
	}
	b.report.addSection("Time to the first text of a new thread",
		fmt.Sprintf("Beside streams with a delta a second each. %d threads, one after another, less the upstream's own time.",
			b.scale.protocolProbes), results)
	return nil
}

func (b *bench) measureFirstText(ctx context.Context, t *target, n int) (spread, error) {
	background, err := startStreams(ctx, t, n-1, 1, script.Answer{Deltas: 1 << 20, Burst: 1, Pace: time.Second, Stamp: true})
	if err != nil {
		return spread{}, err
	}
	defer background.close()
	requests, err := t.requests(ctx, b.scale.protocolProbes, script.Answer{Deltas: probeDeltas, Stamp: true})
	if err != nil {
		return spread{}, err
	}
	c, err := loadclient.Dial(ctx, t.process.address)
	if err != nil {
		return spread{}, err
	}
	defer c.Close()
	var durations []time.Duration
	for _, request := range requests {
		sent := time.Now()
		body, err := c.Do(request)
		if err != nil {
			return spread{}, err
		}
		var first time.Time
		err = loadclient.ReadLines(body, func(line []byte, at time.Time) {
			if _, ok := script.FindStamp(line, script.ReceivedMark); ok && first.IsZero() {
				first = at
			}
		})
		if err != nil {
			return spread{}, err
		}
		durations = append(durations, first.Sub(sent))
	}
	return spreadOf(durations), nil
}

// protocolMemory measures the memory of open streams.
func (b *bench) protocolMemory(ctx context.Context, targets []*target) error {
	results := table{header: []string{"target", "streams", "a stream"}}
	n := b.scale.protocolMemoryStreams
	for _, t := range targets {
		b.progressf("protocol: memory, %s", t.name)
		before, with, err := b.memoryOfStreams(ctx, t, n)
		if err != nil {
			return err
		}
		results.add(t.name, thousands(float64(n)), kilobytes((with-before)/int64(n)))
	}
	b.report.addSection("Memory of live streams of the protocol",
		fmt.Sprintf("Each stream is of a new thread and has a burst of %d deltas, then one every %s. The mean resident memory "+
			"of the process over %s, less the memory before.", memoryBurst, memoryPace, b.scale.memorySettle), results)
	return nil
}
