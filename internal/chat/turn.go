package chat

import "strings"

// turn is what a run has made so far.
type turn struct {
	// message is the assistant message that is open while text comes.
	message Item
	text    strings.Builder
	sources []Annotation
	// thinking is the workflow that is open while the model thinks.
	thinking *thinking
	// items are complete and not stored yet. Those in untold are told when
	// they are stored.
	items  []Item
	untold []Item
	// late is a stored item whose tools' results are not stored; nil is none.
	late *Item

	// failure is what is told of the end; nil is a complete answer. saved and
	// told say how far the end has come.
	failure *failure
	saved   bool
	told    bool

	// said says that some text has come in this run.
	said         bool
	size         int
	finishReason string
}

// keep is for an item that is told once it is stored.
func (t *turn) keep(item Item) {
	t.items, t.untold = append(t.items, item), append(t.untold, item)
}

// say writes a piece of the answer to the log; the first also begins the item.
func (s *Service) say(r *ActiveRun, t *turn, text string) {
	// PostgreSQL cannot hold NUL in a text, and no reader wants it.
	text = clean(text)
	if t.text.Len() == 0 {
		s.endThinking(r, t)
		now := s.now()
		if r.run.FirstTokenAt.IsZero() {
			r.run.FirstTokenAt = now
		}
		t.said = true
		t.message = Item{ID: newID(), SessionID: r.session.ID, RunID: r.ID, Type: ItemAssistantMessage, CreatedAt: now}
		r.log.append(ItemAdded{t.message}, PartAdded{ItemID: t.message.ID})
	}
	r.log.appendDelta(TextDelta{ItemID: t.message.ID, Delta: text})
	t.text.WriteString(text)
	t.size += len(text) + eventBytes
}

// takeMessage closes the open message; without one it is an item of tool calls
// alone.
func (t *turn) takeMessage(s *Service, r *ActiveRun) Item {
	if t.text.Len() == 0 {
		return Item{ID: newID(), SessionID: r.session.ID, RunID: r.ID, Type: ItemToolCalls, CreatedAt: s.now()}
	}
	item := t.message
	item.Content = []Content{{Type: ContentOutputText, Text: t.text.String(), Annotations: t.sources}}
	t.text.Reset()
	t.sources = nil
	return item
}

// endMessage closes the open message, if there is one.
func (s *Service) endMessage(r *ActiveRun, t *turn) {
	if t.text.Len() > 0 {
		t.keep(t.takeMessage(s, r))
	}
}

// judge says whether an answer that ended in order is one.
func (t *turn) judge() error {
	if strings.TrimSpace(t.text.String()) != "" || t.said && t.text.Len() == 0 {
		return nil
	}
	if t.finishReason == "content_filter" {
		return &UpstreamError{Kind: UpstreamRefused}
	}
	return &UpstreamError{Kind: UpstreamEmpty}
}
