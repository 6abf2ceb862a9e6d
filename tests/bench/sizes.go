package main

import "time"

// sizes say how much is measured.
type sizes struct {
	// rounds is how often each way is measured, by turns; figures are the
	// medians of the rounds.
	rounds int

	// liveStreams go on, a delta every livePace, while new runs are started
	// at probeRate a second for probeTime.
	liveStreams int
	livePace    time.Duration
	probeRate   int
	probeTime   time.Duration

	// relayDeltas is how many deltas a round of the relay has, over all its
	// streams; pacedDeltas, where they come at a pace.
	relayDeltas  int
	pacedDeltas  int
	relayStreams []int

	// requestTime is how long the clients ask in a round.
	requestTime time.Duration
	clients     int

	// streams run at a model's pace and are measured for streamTime a round.
	streams    int
	streamTime time.Duration

	// memorySettle is how long waiting streams are looked at.
	memorySettle time.Duration

	// fewSessions and manySessions are those of the two databases compared.
	fewSessions  int
	manySessions int

	// writeRuns are made with writeFew deltas each and then with writeMany.
	writeRuns int
	writeFew  int
	writeMany int

	// slowStreams run beside a reader that is stuck behind stuckDeltas.
	slowStreams int
	slowDeltas  int
	stuckDeltas int

	// protocolStreams are live while protocolProbes threads are created by the ChatKit
	// protocol; protocolMemoryStreams are held open to measure memory.
	protocolStreams       []int
	protocolProbes        int
	protocolMemoryStreams int
}

func sizesFor(quick bool) sizes {
	if quick {
		return sizes{
			rounds:      1,
			liveStreams: 100, livePace: 20 * time.Millisecond, probeRate: 50, probeTime: 2 * time.Second,
			relayDeltas: 100_000, pacedDeltas: 20_000, relayStreams: []int{1, 10, 100},
			requestTime: 300 * time.Millisecond, clients: 8,
			streams: 500, streamTime: 4 * time.Second, memorySettle: time.Second,
			fewSessions: 1000, manySessions: 50_000,
			writeRuns: 10, writeFew: 10, writeMany: 1000,
			slowStreams: 49, slowDeltas: 500, stuckDeltas: 40_000,
			protocolStreams: []int{1, 100}, protocolProbes: 50, protocolMemoryStreams: 500,
		}
	}
	return sizes{
		rounds:      5,
		liveStreams: 100, livePace: 20 * time.Millisecond, probeRate: 50, probeTime: 6 * time.Second,
		relayDeltas: 500_000, pacedDeltas: 100_000, relayStreams: []int{1, 10, 100},
		requestTime: time.Second, clients: 8,
		streams: 500, streamTime: 8 * time.Second, memorySettle: 5 * time.Second,
		fewSessions: 1000, manySessions: 1_000_000,
		writeRuns: 50, writeFew: 10, writeMany: 1000,
		slowStreams: 49, slowDeltas: 2000, stuckDeltas: 40_000,
		protocolStreams: []int{1, 100, 1000}, protocolProbes: 200, protocolMemoryStreams: 1000,
	}
}
