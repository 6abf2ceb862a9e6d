package chat

import "strings"

// appendText publishes a piece of the answer's text. The first piece of a
// message opens its item.
func (e *executor) appendText(text string) {
	text = replaceNUL(text)
	if e.text.Len() == 0 {
		e.endWorkflow()
		e.openMessage()
	}
	e.log.appendDelta(TextDelta{ItemID: e.message.ID, Delta: text})
	e.text.WriteString(text)
}

func (e *executor) openMessage() {
	e.message = e.newItem(ItemAssistantMessage)
	e.hasText = true
	if e.run.FirstTokenAt.IsZero() {
		e.run.FirstTokenAt = e.message.CreatedAt
	}
	e.log.append(ItemAdded{e.message}, PartAdded{ItemID: e.message.ID})
}

// closeMessage returns the open message, complete. Where none is open it
// returns an item for tool calls alone.
func (e *executor) closeMessage() Item {
	if e.text.Len() == 0 {
		return e.newItem(ItemToolCalls)
	}
	item := e.message
	item.Content = []Content{{Type: ContentOutputText, Text: e.text.String(), Annotations: e.sources}}
	e.text.Reset()
	e.sources = nil
	return item
}

// endMessage closes the open message, if there is one, to be stored and then
// published.
func (e *executor) endMessage() {
	if e.text.Len() > 0 {
		e.addUnsaved(e.closeMessage())
	}
}

// addUnsaved adds an item that is published once it is stored.
func (e *executor) addUnsaved(item Item) {
	e.unsaved, e.unpublished = append(e.unsaved, item), append(e.unpublished, item)
}

func (e *executor) newItem(kind ItemType) Item {
	return Item{ID: newID(), SessionID: e.sessionID, RunID: e.ID, Type: kind, CreatedAt: e.s.now()}
}

// validateAnswer returns an error for an answer that ended in order and yet has
// no text.
func (e *executor) validateAnswer() error {
	if strings.TrimSpace(e.text.String()) != "" || e.hasText && e.text.Len() == 0 {
		return nil
	}
	if e.finishReason == "content_filter" {
		return &UpstreamError{Kind: UpstreamRefused}
	}
	return &UpstreamError{Kind: UpstreamEmpty}
}

// replaceNUL makes a text of upstream's one that PostgreSQL can store.
func replaceNUL(text string) string { return strings.ReplaceAll(text, "\x00", "\uFFFD") }
