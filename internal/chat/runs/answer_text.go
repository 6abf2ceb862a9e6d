package runs

import (
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// appendText publishes a piece of the answer's text. The first piece that is
// not blank opens the message; blank text before it waits, since an answer of
// white space alone is none.
func (e *executor) appendText(text string) {
	text = replaceNUL(text)
	e.text.WriteString(text)
	if !e.messageOpen {
		if strings.TrimSpace(text) == "" {
			return
		}
		e.endWorkflow()
		e.openMessage()
	}
	e.log.AppendText(e.message.ID, e.text.String())
}

func (e *executor) openMessage() {
	e.message = e.newItem(chat.ItemAssistantMessage)
	e.messageOpen, e.hasText = true, true
	if e.run.FirstTokenAt.IsZero() {
		e.run.FirstTokenAt = e.message.CreatedAt
	}
	e.log.Append(chat.ItemAdded{Item: e.message}, chat.PartAdded{ItemID: e.message.ID})
}

// closeMessage returns the open message, complete. Where none is open it
// returns an item for tool calls alone.
func (e *executor) closeMessage() chat.Item {
	if !e.messageOpen {
		e.text.Reset()
		return e.newItem(chat.ItemToolCalls)
	}
	item := e.message
	item.Content = []chat.Content{{Type: chat.ContentOutputText, Text: e.text.String(), Annotations: e.sources}}
	item.FinishReason = incompleteReason(e.run.FinishReason)
	e.text.Reset()
	e.messageOpen, e.sources = false, nil
	return item
}

// endMessage closes the open message, if there is one, to be stored and then
// published.
func (e *executor) endMessage() {
	if e.messageOpen {
		e.addUnsaved(e.closeMessage())
	}
}

// addUnsaved adds an item that is published once it is stored.
func (e *executor) addUnsaved(item chat.Item) {
	e.unsaved, e.unpublished = append(e.unsaved, item), append(e.unpublished, item)
}

func (e *executor) newItem(kind chat.ItemType) chat.Item {
	return chat.Item{ID: newID(), SessionID: e.sessionID, RunID: e.ID, Type: kind, CreatedAt: e.s.now()}
}

// validateAnswer returns an error for an answer that ended in order and yet has
// no text.
func (e *executor) validateAnswer() error {
	if e.hasText {
		return nil
	}
	if e.run.FinishReason == chat.FinishContentFilter {
		return &chat.UpstreamError{Kind: chat.UpstreamRefused}
	}
	return &chat.UpstreamError{Kind: chat.UpstreamEmpty}
}

// replaceNUL makes a text of upstream's one that PostgreSQL can store.
func replaceNUL(text string) string { return strings.ReplaceAll(text, "\x00", "\uFFFD") }
