package main

import "time"

// scale is the amount of work of the measurements.
type scale struct {
	// rounds is the number of rounds. Each round measures all targets in turn;
	// the figures are the medians of the rounds.
	rounds int

	// liveStreams is the number of streams, with a delta every livePace, beside
	// which runs start at probeRate a second for probeTime.
	liveStreams int
	livePace    time.Duration
	probeRate   int
	probeTime   time.Duration

	// relayDeltas is the number of deltas in a round of the relay, over all its
	// streams; pacedDeltas is the same for streams with a pace.
	relayDeltas  int
	pacedDeltas  int
	relayStreams []int

	// requestTime is the duration of a round of requests.
	requestTime time.Duration
	clients     int

	// streams is the number of streams at a model's pace, which are measured for
	// streamTime a round.
	streams    int
	streamTime time.Duration

	// memorySettle is the duration of a measurement of memory.
	memorySettle time.Duration

	// fewSessions and manySessions are the sizes of the two databases.
	fewSessions  int
	manySessions int

	// writeRuns is the number of runs with writeFew deltas each, and of those
	// with writeMany.
	writeRuns int
	writeFew  int
	writeMany int

	// slowStreams is the number of streams with slowDeltas each, beside a client
	// that does not read a burst of stuckDeltas.
	slowStreams int
	slowDeltas  int
	stuckDeltas int

	// protocolStreams are the numbers of streams beside which protocolProbes
	// threads are created with the ChatKit protocol; protocolMemoryStreams is the
	// number of streams whose memory is measured.
	protocolStreams       []int
	protocolProbes        int
	protocolMemoryStreams int
}

func scaleFor(quick bool) scale {
	if quick {
		return scale{
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
	return scale{
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
