package runs

import (
	"context"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// isStop reports whether a run ended because its user stopped it.
func isStop(code chat.FailureCode) bool {
	return code == chat.FailureClientLeft || code == chat.FailureCancelled
}

// stopNote is what the openai-chatkit package tells a model whose answer was
// stopped, so that the model does not continue it in the next answer.
const stopNote = "The user cancelled the stream. Stop responding to the prior request."

// finish stores the end of the run and then publishes it. No follower is told
// that an answer is complete before it is stored.
func (e *executor) finish(err error) {
	if err != nil && e.ctx.Err() != nil {
		err = context.Cause(e.ctx)
	}
	e.failure = e.setOutcome(err)
	e.run.EndedAt = e.s.now()
	e.endWorkflow()
	e.endMessage()
	if isStop(e.run.FailureCode) {
		note := e.newItem(chat.ItemHiddenContext)
		note.Content = []chat.Content{{Type: chat.ContentOutputText, Text: stopNote}}
		e.unsaved = append(e.unsaved, note)
	}
	e.ending.Store(true)
	saveErr := e.saveEnd(saveTimeout)
	if e.endSaved = saveErr == nil; e.endSaved {
		// A follower of the end may send the next message at once.
		e.s.unregister(e.ActiveRun)
	}
	e.logEnd(err)
	e.observeEnd()
	e.endPublished = true
	if e.endSaved {
		e.publishEnd(e.unpublished, e.failure, err)
		e.startTitle()
		return
	}
	if isPassing(saveErr) {
		e.publishEnd(nil, unsavedFailure(saveErr), saveErr)
		e.saveEndLater()
		return
	}
	if chat.CodeOf(saveErr) != chat.CodeSessionNotFound {
		e.markFailed()
	}
	e.s.unregister(e.ActiveRun)
	e.publishEnd(nil, unsavedFailure(saveErr), saveErr)
}

// observeEnd tells the observer of the end, once, if it was told of the start.
func (e *executor) observeEnd() {
	if e.observed {
		e.observed = false
		e.s.Observer.RunEnded(e.ctx, e.run)
	}
}

// publishEnd appends the run's last events and ends its log.
func (e *executor) publishEnd(items []chat.Item, failure *failure, cause error) {
	if failure != nil {
		e.open(failure.asRefusal(cause))
	}
	e.log.Append(e.lastEvents(items, failure)...)
	e.log.End()
}

// lastEvents are the events at the end of a run, in the protocol's order.
func (e *executor) lastEvents(items []chat.Item, failure *failure) []chat.Event {
	var events []chat.Event
	for _, item := range items {
		if item.Type == chat.ItemAssistantMessage {
			events = append(events, chat.PartDone{ItemID: item.ID, Text: item.Text()})
		}
		events = append(events, chat.ItemDone{Item: item})
	}
	if notice := incompleteNotice(e.run.FinishReason); notice != "" && failure == nil {
		events = append(events, chat.Notice{Message: notice})
	}
	if failure != nil {
		events = append(events, chat.Failed{Message: failure.message, AllowRetry: failure.retry})
	}
	if e.titleSet && e.session.ID != uuid.Nil {
		events = append(events, chat.SessionUpdated{Session: e.session})
	}
	return events
}

func (e *executor) logEnd(err error) {
	fields := []any{
		"run", e.ID, "session", e.sessionID, "user", e.userID, "status", e.run.Status, "model", e.run.Model,
		"duration", e.run.EndedAt.Sub(e.run.StartedAt),
		"input_tokens", e.run.Usage.InputTokens, "output_tokens", e.run.Usage.OutputTokens,
	}
	if e.run.FinishReason != "" {
		fields = append(fields, "finish_reason", e.run.FinishReason)
	}
	if !e.run.FirstTokenAt.IsZero() {
		fields = append(fields, "first_token", e.run.FirstTokenAt.Sub(e.run.StartedAt))
	}
	if e.run.Usage.Cost != nil {
		fields = append(fields, "cost", *e.run.Usage.Cost)
	}
	if e.run.Status == chat.RunFailed {
		e.s.Logger.WarnContext(e.ctx, "run failed", append(fields, "failure", e.run.FailureCode, "error", err)...)
		return
	}
	e.s.Logger.InfoContext(e.ctx, "run ended", fields...)
}
