package telemetry

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

func (m *Metrics) registerRuns() {
	m.runs = m.counterVec("chatkit_runs_total", "Ended runs, by outcome: completed, failed or cancelled.", "outcome")
	for _, outcome := range []chat.RunStatus{chat.RunCompleted, chat.RunFailed, chat.RunCancelled} {
		m.runs.WithLabelValues(string(outcome))
	}
	m.liveRuns = m.gauge("chatkit_live_runs", "Runs that this server is executing.")
	m.runDuration = m.histogram("chatkit_run_duration_seconds", "Duration of runs, from the message to the end of the answer.",
		durationBuckets())
	m.firstToken = m.histogram("chatkit_run_first_token_seconds", "Time from the message to the first text of the answer.",
		[]float64{.05, .1, .2, .3, .5, .75, 1, 1.5, 2, 3, 5, 10, 20, 30, 60})
	m.upstreamErrors = m.counterVec("chatkit_upstream_errors_total", "Runs that failed because of upstream, by kind of failure.", "kind")
	for _, kind := range chat.UpstreamKinds() {
		m.upstreamErrors.WithLabelValues(string(kind))
	}
}

// The kinds of tokens. Cached tokens are part of the input, reasoning tokens of the
// output.
const (
	inputTokens     = "input"
	outputTokens    = "output"
	cachedTokens    = "cached"
	reasoningTokens = "reasoning"
)

func (m *Metrics) registerUsage(model string) {
	m.tokens = m.counterVec("chatkit_tokens_total", "Tokens that upstream reported, by model and kind: input, output, "+
		"cached (part of input) and reasoning (part of output).", "model", "kind")
	for _, kind := range []string{inputTokens, outputTokens, cachedTokens, reasoningTokens} {
		m.tokens.WithLabelValues(m.models.label(model), kind)
	}
	m.cost = m.counterVec("chatkit_cost_credits_total", "Cost of answers and titles that upstream reported, in its credits (OpenRouter: US dollars), by model.", "model")
	m.cost.WithLabelValues(m.models.label(model))
}

// runStarted counts a started run.
func (m *Metrics) runStarted() {
	if m == nil {
		return
	}
	m.liveRuns.Inc()
}

// runEnded counts an ended run.
func (m *Metrics) runEnded(run chat.Run) {
	if m == nil {
		return
	}
	m.liveRuns.Dec()
	m.runs.WithLabelValues(string(run.Status)).Inc()
	m.runDuration.Observe(run.EndedAt.Sub(run.StartedAt).Seconds())
	if !run.FirstTokenAt.IsZero() {
		m.firstToken.Observe(run.FirstTokenAt.Sub(run.StartedAt).Seconds())
	}
	if kind := chat.UpstreamKind(run.FailureCode); slices.Contains(chat.UpstreamKinds(), kind) {
		m.upstreamErrors.WithLabelValues(string(kind)).Inc()
	}
	m.countUsage(run.Model, run.Usage)
}

// countUsage counts the tokens and the cost of an answer or a title.
func (m *Metrics) countUsage(name string, usage chat.Usage) {
	if usage == (chat.Usage{}) {
		return
	}
	model := m.models.label(name)
	add := func(counter prometheus.Counter, n float64) {
		if n > 0 { // A counter panics on a negative number, which upstream may send.
			counter.Add(n)
		}
	}
	add(m.tokens.WithLabelValues(model, inputTokens), float64(usage.InputTokens))
	add(m.tokens.WithLabelValues(model, outputTokens), float64(usage.OutputTokens))
	add(m.tokens.WithLabelValues(model, cachedTokens), float64(usage.CachedTokens))
	add(m.tokens.WithLabelValues(model, reasoningTokens), float64(usage.ReasoningTokens))
	if usage.Cost != nil {
		add(m.cost.WithLabelValues(model), *usage.Cost)
	}
}
