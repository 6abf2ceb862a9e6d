package runs

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// thoughtSaveTimeout bounds the storing of a workflow while the answer waits.
const thoughtSaveTimeout = 3 * time.Second

// openWorkflow is the workflow item of a model that reasons. It is published as
// the openai-chatkit package does: the first thought as it grows, a later one
// when it is complete.
type openWorkflow struct {
	item chat.Item
	// thought is the present thought; it is open until the model does
	// something else.
	thought strings.Builder
	open    bool
	// published is how many bytes of the first thought were published.
	published int
	// stored says that the item is in the store: an earlier run left it open.
	stored bool
}

// resumeWorkflow returns the workflow that the run before left open when it
// called the client tool that a history ends with; nil where there is none.
func resumeWorkflow(history []chat.Item) *openWorkflow {
	if len(history) < 2 || history[len(history)-1].Type != chat.ItemClientToolCall {
		return nil
	}
	item := history[len(history)-2]
	if item.Type != chat.ItemWorkflow || item.Workflow.Done {
		return nil
	}
	return &openWorkflow{item: item, stored: true}
}

// appendReasoning adds a piece to the present thought.
func (e *executor) appendReasoning(text string) {
	if e.workflow == nil {
		e.workflow = &openWorkflow{item: e.newItem(chat.ItemWorkflow)}
		e.workflow.item.Workflow = &chat.Workflow{}
		e.log.Append(chat.ItemAdded{Item: e.workflow.snapshot()})
	}
	w := e.workflow
	w.open = true
	w.thought.WriteString(replaceNUL(text))
	if len(w.item.Workflow.Thoughts) > 0 && w.published == 0 {
		return // A later thought is published when it is complete.
	}
	w.publishFirst(e.log)
}

// publishFirst publishes the first thought as it grows. Each event carries all
// of the thought, so the longer it is, the more must be new.
func (w *openWorkflow) publishFirst(log chat.RunLog) {
	text := w.thought.String()
	switch {
	case w.published == 0:
		w.item.Workflow.Thoughts = []string{text}
		log.Append(chat.ThoughtAdded{ItemID: w.item.ID, Text: text})
	case len(text)-w.published >= w.published/16:
		w.item.Workflow.Thoughts[0] = text
		log.Append(chat.ThoughtUpdated{ItemID: w.item.ID, Text: text})
	default:
		return
	}
	w.published = len(text)
}

// endThought closes the present thought.
func (e *executor) endThought() {
	w := e.workflow
	if w == nil || !w.open {
		return
	}
	w.open = false
	text := w.thought.String()
	w.thought.Reset()
	workflow := w.item.Workflow
	if w.published > 0 {
		w.published = 0
		workflow.Thoughts[0] = text
		e.log.Append(chat.ThoughtUpdated{ItemID: w.item.ID, Text: text})
		return
	}
	workflow.Thoughts = append(workflow.Thoughts, text)
	e.log.Append(chat.ThoughtAdded{ItemID: w.item.ID, Index: len(workflow.Thoughts) - 1, Text: text})
}

// endWorkflow completes the workflow: the model has begun to do something else.
func (e *executor) endWorkflow() {
	e.endThought()
	w := e.workflow
	if w == nil {
		return
	}
	e.workflow = nil
	w.item.Workflow.Done = true
	w.item.Workflow.Duration = e.s.now().Sub(w.item.CreatedAt)
	e.saveWorkflow(w)
	e.log.Append(chat.ItemDone{Item: w.snapshot()})
}

// leaveWorkflowOpen leaves the workflow to the run that continues with the
// output of the client tool.
func (e *executor) leaveWorkflowOpen() {
	e.endThought()
	if w := e.workflow; w != nil {
		e.workflow = nil
		e.saveWorkflow(w)
	}
}

// saveWorkflow has the item stored with the next items, or stores it now where
// it is in the store already. A failure loses a thought, never a message.
func (e *executor) saveWorkflow(w *openWorkflow) {
	if !w.stored {
		e.unsaved = append(e.unsaved, w.snapshot())
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), thoughtSaveTimeout)
	defer cancel()
	if err := e.s.Store.SaveItem(ctx, w.item); err != nil {
		e.s.Logger.WarnContext(ctx, "saving a model's reasoning failed", "run", e.ID, "error", err)
	}
}

// snapshot is the item as it is now, for the log.
func (w *openWorkflow) snapshot() chat.Item {
	item := w.item
	workflow := *item.Workflow
	workflow.Thoughts = slices.Clone(workflow.Thoughts)
	item.Workflow = &workflow
	return item
}
