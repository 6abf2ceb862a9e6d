package chat

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"time"

	"github.com/google/uuid"
)

const (
	// maxAnswerBytes bounds what a run keeps in memory: its text, and
	// eventBytes for each piece of it.
	maxAnswerBytes = 16 << 20
	eventBytes     = 96
	// maxRunTime bounds a run whose upstream shows signs of life for ever.
	maxRunTime = 30 * time.Minute
)

// maxSteps is how often the model is asked in one turn, over all runs that the
// page's tools make of it: each round of tool calls is one. The last time it may
// call none.
const maxSteps = 12

// runToEnd is a run's runner: it asks the model, writes the log, saves the
// end. It belongs to the service, not to the request that started it.
func (s *Service) runToEnd(r *ActiveRun) {
	defer s.runners.Done()
	defer r.cancel(nil)
	defer s.forget(r)
	limit := time.AfterFunc(maxRunTime, func() { r.Cancel(FailureAnswerTooLong) })
	defer limit.Stop()
	t := &turn{thinking: goesOn(r.thought)}
	err := s.guard(r, func() error { return s.answer(r, t) })
	err = s.guard(r, func() error {
		s.finish(r, t, err)
		return nil
	})
	if err != nil {
		s.endBroken(r, t, err)
	}
}

func (s *Service) forget(r *ActiveRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live[r.session.ID] == r {
		delete(s.live, r.session.ID)
		close(r.forgotten)
	}
}

// answer asks the model until it has answered, and calls the tools that it
// asks for.
func (s *Service) answer(r *ActiveRun, t *turn) error {
	for ; r.steps < maxSteps-1; r.steps++ {
		calls, details, err := s.step(r, t)
		if err != nil {
			return err
		}
		if len(calls) == 0 {
			return t.judge()
		}
		waits, err := s.callTools(r, t, calls, details)
		if err != nil || waits {
			return err
		}
	}
	return s.lastStep(r, t)
}

// lastStep has the model make an answer of what its calls gave it. What it calls
// nevertheless is not called: it would never hear of it.
func (s *Service) lastStep(r *ActiveRun, t *turn) error {
	r.tools.choice, r.tools.closed = "", true
	calls, _, err := s.step(r, t)
	if err != nil {
		return err
	}
	if len(calls) > 0 {
		return cancelled{FailureTooManySteps}
	}
	return t.judge()
}

// step streams one answer of the model into the log. It returns the tools that
// the model calls.
func (s *Service) step(r *ActiveRun, t *turn) ([]ToolCall, json.RawMessage, error) {
	stream, err := s.open(r)
	if err != nil {
		return nil, nil, err
	}
	defer stream.Close() //nolint:errcheck // nothing is lost with it
	r.log.open(nil)
	runtime.Gosched() // Whoever waited for this has the first events to send.
	r.tools.choice, t.finishReason = "", ""
	if len(r.tools.offered) == 0 {
		r.history = nil // Sent, and not sent again; an answer may take minutes.
	}
	var came pieces
	for {
		chunk, err := stream.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		if err := s.take(r, t, &chunk, &came); err != nil {
			return nil, nil, err
		}
	}
	s.endThought(r, t)
	r.used = r.run.Usage
	if len(r.tools.offered) == 0 {
		return nil, nil, nil
	}
	if len(came.calls) > 0 && (t.finishReason == "length" || t.finishReason == "content_filter") {
		return nil, nil, cancelled{FailureAnswerTooLong} // What was cut off a call nobody knows.
	}
	return came.complete(), s.detailsOf(&came), nil
}

// detailsOf are the details of a step whose calls may go back with them.
func (s *Service) detailsOf(came *pieces) json.RawMessage {
	details := joinArrays(came.details)
	if details == nil || s.WholeDetails == nil {
		return details
	}
	return s.WholeDetails(details)
}

// ask sends the history to the model. Its files are read for each step and held
// until upstream begins to answer, not for as long as the run goes on.
func (s *Service) ask(ctx context.Context, r *ActiveRun) (ModelStream, error) {
	messages, release, err := s.withFiles(ctx, boundResults(r.history, s.resultChars()))
	if err != nil {
		return nil, err
	}
	defer release()
	return s.Model.Stream(ctx, ModelRequest{
		Model: r.model, Messages: messages, User: s.Pseudonym(r.user),
		Tools: r.tools.offered, ToolChoice: r.tools.choice, NoCalls: r.tools.closed,
	})
}

// take does what a chunk says.
func (s *Service) take(r *ActiveRun, t *turn, chunk *Chunk, came *pieces) error {
	r.note(chunk)
	if chunk.FinishReason != "" {
		t.finishReason = chunk.FinishReason
	}
	if chunk.Reasoning != "" {
		s.think(r, t, chunk.Reasoning)
	}
	if chunk.Text != "" {
		s.say(r, t, chunk.Text)
	}
	for _, source := range chunk.Annotations {
		t.size += len(source.URL) + len(source.Title) + eventBytes
		source.URL, source.Title = clean(source.URL), clean(source.Title)
		t.sources = append(t.sources, source)
	}
	for _, piece := range chunk.Calls {
		t.size += len(piece.Arguments) + eventBytes
	}
	if len(chunk.ReasoningDetails) > 0 {
		t.size += len(chunk.ReasoningDetails) + eventBytes
	}
	if t.size > maxAnswerBytes {
		return cancelled{FailureAnswerTooLong}
	}
	if len(r.tools.offered) == 0 {
		return nil // Nobody offered what it calls.
	}
	return came.add(chunk)
}

// note takes what a chunk tells of the run itself.
func (r *ActiveRun) note(chunk *Chunk) {
	if chunk.Model != "" {
		r.run.Model = chunk.Model
	}
	if chunk.UpstreamID != "" {
		r.run.UpstreamID = chunk.UpstreamID
	}
	if chunk.Usage != nil {
		r.run.Usage = r.used.plus(*chunk.Usage)
	}
}

// stopNote is what the openai-chatkit package tells a model whose answer was
// stopped: else it may go on with it in the next.
const stopNote = "The user cancelled the stream. Stop responding to the prior request."

// lastWords is for how long the saving of an end stands back from what was said
// last, which is on its way to the user: on few cores the transaction would hold
// that up, and the beginnings of others.
const lastWords = time.Millisecond

// finish saves how the run ended, then tells it. Until the save is done no
// follower is told that the answer is complete.
func (s *Service) finish(r *ActiveRun, t *turn, err error) {
	if err != nil && r.ctx.Err() != nil {
		err = context.Cause(r.ctx)
	}
	t.failure = r.conclude(err)
	r.run.EndedAt = s.now()
	s.endThinking(r, t)
	s.endMessage(r, t)
	if r.run.FailureCode == FailureClientLeft {
		t.items = append(t.items, Item{
			ID: newID(), SessionID: r.session.ID, RunID: r.ID, Type: ItemHiddenContext, CreatedAt: r.run.EndedAt,
			Content: []Content{{Type: ContentOutputText, Text: stopNote}},
		})
	}
	r.ending.Store(true)
	time.Sleep(lastWords)
	saveErr := s.save(r, t, saveTimeout)
	if t.saved = saveErr == nil; t.saved {
		s.forget(r) // Whoever is told of the end may send the next message at once.
	}
	s.logEnd(r, err)
	s.observeEnd(r)
	t.told = true
	if t.saved {
		s.tellEnd(r, t.untold, t.failure, err)
		s.nameSession(r, t)
		return
	}
	s.tellEnd(r, nil, unsaved(saveErr), saveErr)
	if CodeOf(saveErr) != CodeSessionNotFound {
		s.saveLater(r, t)
	}
}

// observeEnd tells the observer of the end of a run that it was told the start of.
func (s *Service) observeEnd(r *ActiveRun) {
	if r.observed {
		r.observed = false
		s.Observer.RunEnded(r.ctx, r.run)
	}
}

// tellEnd writes the run's last events and ends its log.
func (s *Service) tellEnd(r *ActiveRun, items []Item, failure *failure, cause error) {
	if failure != nil {
		r.log.open(failure.asRefusal(cause))
	}
	r.log.append(s.lastEvents(r, items, failure)...)
	r.log.end()
}

// lastEvents are what a run says at its end, in the protocol's order.
func (s *Service) lastEvents(r *ActiveRun, items []Item, failure *failure) []Event {
	var events []Event
	for _, item := range items {
		if item.Type == ItemAssistantMessage {
			events = append(events, PartDone{ItemID: item.ID, Text: item.Text()})
		}
		events = append(events, ItemDone{item})
	}
	if failure != nil {
		events = append(events, Failed{Message: failure.message, AllowRetry: failure.retry})
	}
	if r.titled && r.session.ID != uuid.Nil {
		events = append(events, SessionUpdated{r.session})
	}
	return events
}

func (s *Service) logEnd(r *ActiveRun, err error) {
	fields := []any{
		"run", r.ID, "session", r.session.ID, "user", r.user, "status", r.run.Status, "model", r.run.Model,
		"duration", r.run.EndedAt.Sub(r.run.StartedAt),
		"input_tokens", r.run.Usage.InputTokens, "output_tokens", r.run.Usage.OutputTokens,
	}
	if !r.run.FirstTokenAt.IsZero() {
		fields = append(fields, "first_token", r.run.FirstTokenAt.Sub(r.run.StartedAt))
	}
	if r.run.Usage.Cost != nil {
		fields = append(fields, "cost", *r.run.Usage.Cost)
	}
	if r.run.Status == RunFailed {
		s.Logger.WarnContext(r.ctx, "run failed", append(fields, "failure", r.run.FailureCode, "error", err)...)
		return
	}
	s.Logger.InfoContext(r.ctx, "run ended", fields...)
}
