package chat

import (
	"context"
	"slices"
	"strings"
	"time"
)

// thoughtTimeout is for the storing of a workflow while the answer waits.
const thoughtTimeout = 3 * time.Second

// thinking is a workflow while the model thinks. The openai-chatkit package
// tells it so: the first thought as it comes, a later one when it is whole.
type thinking struct {
	item Item
	// thought is the present one; closed when the model did something else.
	thought strings.Builder
	open    bool
	// told is how much of the first thought the followers know.
	told int
	// stored says that the item is in the store, as an earlier run left it.
	stored bool
}

// goesOn is the workflow that the run before left open when it called the
// page's tool; nil where there is none.
func goesOn(left *Item) *thinking {
	if left == nil {
		return nil
	}
	return &thinking{item: *left, stored: true}
}

// leftOpen is the workflow right before the call of the page's tool that a
// thread ends with, if it is not complete.
func leftOpen(history []Item) *Item {
	if len(history) < 2 || history[len(history)-1].Type != ItemClientToolCall {
		return nil
	}
	if item := history[len(history)-2]; item.Type == ItemWorkflow && !item.Workflow.Done {
		return &item
	}
	return nil
}

// think takes a piece of a thought.
func (s *Service) think(r *ActiveRun, t *turn, text string) {
	text = clean(text)
	t.size += len(text) + eventBytes
	if t.thinking == nil {
		t.thinking = &thinking{item: Item{
			ID: newID(), SessionID: r.session.ID, RunID: r.ID, Type: ItemWorkflow, CreatedAt: s.now(), Workflow: &Workflow{},
		}}
		r.log.append(ItemAdded{t.thinking.snapshot()})
	}
	w := t.thinking
	w.open = true
	w.thought.WriteString(text)
	if len(w.item.Workflow.Thoughts) > 0 && w.told == 0 {
		return // A later thought is told when it is whole.
	}
	w.tellFirst(r)
}

// tellFirst tells the first thought as it grows. Each time all of it is told,
// so the longer it is the more must have come.
func (w *thinking) tellFirst(r *ActiveRun) {
	text := w.thought.String()
	switch {
	case w.told == 0:
		w.item.Workflow.Thoughts = []string{text}
		r.log.append(ThoughtAdded{ItemID: w.item.ID, Text: text})
	case len(text)-w.told >= w.told/16:
		w.item.Workflow.Thoughts[0] = text
		r.log.append(ThoughtUpdated{ItemID: w.item.ID, Text: text})
	default:
		return
	}
	w.told = len(text)
}

// endThought closes the present thought.
func (s *Service) endThought(r *ActiveRun, t *turn) {
	w := t.thinking
	if w == nil || !w.open {
		return
	}
	w.open = false
	text := w.thought.String()
	w.thought.Reset()
	workflow := w.item.Workflow
	if w.told > 0 {
		w.told = 0
		workflow.Thoughts[0] = text
		r.log.append(ThoughtUpdated{ItemID: w.item.ID, Text: text})
		return
	}
	workflow.Thoughts = append(workflow.Thoughts, text)
	r.log.append(ThoughtAdded{ItemID: w.item.ID, Index: len(workflow.Thoughts) - 1, Text: text})
}

// endThinking completes the workflow: what the model does next is something
// else.
func (s *Service) endThinking(r *ActiveRun, t *turn) {
	s.endThought(r, t)
	if t.thinking == nil {
		return
	}
	w := t.thinking
	t.thinking = nil
	w.item.Workflow.Done = true
	w.item.Workflow.Duration = s.now().Sub(w.item.CreatedAt)
	s.keepWorkflow(r, t, w)
	r.log.append(ItemDone{w.snapshot()})
}

// leaveThinking leaves the workflow open for the run that goes on after the
// page's tool.
func (s *Service) leaveThinking(r *ActiveRun, t *turn) {
	s.endThought(r, t)
	if w := t.thinking; w != nil {
		t.thinking = nil
		s.keepWorkflow(r, t, w)
	}
}

// keepWorkflow has it stored with the next items, or now where it is stored
// already. A failure loses a thought, no message.
func (s *Service) keepWorkflow(r *ActiveRun, t *turn, w *thinking) {
	if !w.stored {
		t.items = append(t.items, w.snapshot())
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), thoughtTimeout)
	defer cancel()
	if err := s.Store.SaveItem(ctx, w.item); err != nil {
		s.Logger.WarnContext(ctx, "saving what the model thought failed", "run", r.ID, "error", err)
	}
}

// snapshot is the item as it now stands, for the log.
func (w *thinking) snapshot() Item {
	item := w.item
	workflow := *item.Workflow
	workflow.Thoughts = slices.Clone(workflow.Thoughts)
	item.Workflow = &workflow
	return item
}
