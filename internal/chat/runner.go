package chat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
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

// answer is the assistant message while it comes.
type answer struct {
	item         Item
	text         strings.Builder
	size         int
	finishReason string
}

// runToEnd is a run's runner: it asks the model, writes the log, saves the
// end. It belongs to the service, not to the request that started it.
func (s *Service) runToEnd(r *ActiveRun) {
	defer s.runners.Done()
	defer r.cancel(nil)
	defer s.forget(r)
	limit := time.AfterFunc(maxRunTime, func() { r.Cancel(FailureAnswerTooLong) })
	defer limit.Stop()
	a := &answer{item: Item{
		ID: newID(), SessionID: r.session.ID, RunID: r.ID, Type: ItemAssistantMessage,
	}}
	err := s.ask(r, a)
	s.finish(r, a, err)
}

func (s *Service) forget(r *ActiveRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live[r.session.ID] == r {
		delete(s.live, r.session.ID)
		close(r.forgotten)
	}
}

// ask streams the model's answer into the log. A panic on the way is the
// run's failure, not the server's.
func (s *Service) ask(r *ActiveRun, a *answer) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.Logger.ErrorContext(r.ctx, "a run panicked", "run", r.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic in run: %v", p)
		}
	}()
	stream, err := s.Model.Stream(r.ctx, ModelRequest{Messages: r.history, User: s.Pseudonym(r.user)})
	if err != nil {
		return err
	}
	defer stream.Close() //nolint:errcheck // nothing is lost with it
	r.log.open(nil)
	runtime.Gosched() // Whoever waited for this has the first events to send.
	r.history = nil   // Sent; an answer may take minutes.
	for {
		chunk, err := stream.Next()
		if errors.Is(err, io.EOF) {
			return a.judge()
		}
		if err != nil {
			return err
		}
		r.note(chunk)
		if chunk.FinishReason != "" {
			a.finishReason = chunk.FinishReason
		}
		if chunk.Text != "" {
			s.say(r, a, chunk.Text)
		}
		if a.size > maxAnswerBytes {
			return cancelled{FailureAnswerTooLong}
		}
	}
}

// note takes what a chunk tells of the run itself.
func (r *ActiveRun) note(chunk Chunk) {
	if chunk.Model != "" {
		r.run.Model = chunk.Model
	}
	if chunk.UpstreamID != "" {
		r.run.UpstreamID = chunk.UpstreamID
	}
	if chunk.Usage != nil {
		r.run.Usage = *chunk.Usage
	}
}

// say writes a piece of the answer to the log; the first also begins the item.
func (s *Service) say(r *ActiveRun, a *answer, text string) {
	// PostgreSQL cannot hold NUL in a text, and no reader wants it.
	text = strings.ReplaceAll(text, "\x00", "\uFFFD")
	if a.text.Len() == 0 {
		r.run.FirstTokenAt = s.now()
		a.item.CreatedAt = r.run.FirstTokenAt
		r.log.append(ItemAdded{a.item}, PartAdded{ItemID: a.item.ID})
	}
	r.log.appendDelta(TextDelta{ItemID: a.item.ID, Delta: text})
	a.text.WriteString(text)
	a.size += len(text) + eventBytes
}

// judge says whether an answer that ended in order is one.
func (a *answer) judge() error {
	if strings.TrimSpace(a.text.String()) != "" {
		return nil
	}
	if a.finishReason == "content_filter" {
		return &UpstreamError{Kind: UpstreamRefused}
	}
	return &UpstreamError{Kind: UpstreamEmpty}
}

// finish saves how the run ended, then tells it. Until the save is done no
// follower is told that the answer is complete.
func (s *Service) finish(r *ActiveRun, a *answer, err error) {
	if err != nil && r.ctx.Err() != nil {
		err = context.Cause(r.ctx)
	}
	failure := r.conclude(err)
	r.run.EndedAt = s.now()
	item := a.complete()
	r.ending.Store(true)
	saveErr := s.save(r, item, saveTimeout)
	if saveErr == nil {
		s.forget(r) // Whoever is told of the end may send the next message at once.
	}
	s.logEnd(r, err)
	s.Observer.RunEnded(r.ctx, r.run)
	if saveErr == nil {
		s.tellEnd(r, item, failure, err)
		return
	}
	s.tellEnd(r, nil, unsaved(saveErr), saveErr)
	if CodeOf(saveErr) != CodeSessionNotFound {
		s.saveLater(r, item)
	}
}

// tellEnd writes the run's last events and ends its log.
func (s *Service) tellEnd(r *ActiveRun, item *Item, failure *failure, cause error) {
	if failure != nil {
		r.log.open(failure.asRefusal(cause))
	}
	r.log.append(s.lastEvents(r, item, failure)...)
	r.log.end()
}

// complete closes the message; nil when there is no text to keep.
func (a *answer) complete() *Item {
	if a.text.Len() == 0 {
		return nil
	}
	a.item.Content = []Content{{Type: ContentOutputText, Text: a.text.String()}}
	return &a.item
}

// lastEvents are what a run says at its end, in the protocol's order.
func (s *Service) lastEvents(r *ActiveRun, item *Item, failure *failure) []Event {
	var events []Event
	if item != nil {
		events = append(events, PartDone{ItemID: item.ID, Text: item.Text()}, ItemDone{*item})
	}
	if r.titled && r.session.ID != uuid.Nil {
		events = append(events, SessionUpdated{r.session})
	}
	if failure != nil {
		events = append(events, Failed{Message: failure.message, AllowRetry: failure.retry})
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
