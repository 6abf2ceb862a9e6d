package chat

import "github.com/google/uuid"

// Event is an entry in the log of a run, in the order of the ChatKit
// protocol's ThreadStreamEvents. It is one of the types in this file.
type Event interface{ event() }

// ItemDone says that an item is complete ("thread.item.done") and durable. A
// workflow is the exception: it is stored with the next message of its run.
type ItemDone struct{ Item Item }

// StreamOptions says what a client may do with the stream ("stream_options").
type StreamOptions struct{ AllowCancel bool }

// ItemAdded says that an item began ("thread.item.added").
type ItemAdded struct{ Item Item }

// PartAdded says that a part of an assistant message began
// ("assistant_message.content_part.added").
type PartAdded struct {
	ItemID uuid.UUID
	Index  int
}

// TextDelta is a piece of a part's text
// ("assistant_message.content_part.text_delta").
type TextDelta struct {
	ItemID uuid.UUID
	Index  int
	Delta  string
}

// PartDone is a part with its whole text
// ("assistant_message.content_part.done").
type PartDone struct {
	ItemID uuid.UUID
	Index  int
	Text   string
}

// ThoughtAdded is a new thought of a workflow ("workflow.task.added").
type ThoughtAdded struct {
	ItemID uuid.UUID
	Index  int
	Text   string
}

// ThoughtUpdated is a thought with all of its text so far
// ("workflow.task.updated").
type ThoughtUpdated struct {
	ItemID uuid.UUID
	Index  int
	Text   string
}

// Progress says what the run does while no text comes ("progress_update").
type Progress struct{ Text string }

// Notice tells the user something about the answer ("notice").
type Notice struct{ Message string }

// SessionUpdated says that the session's title changed ("thread.updated").
type SessionUpdated struct{ Session Session }

// Failed says that the run did not complete ("error").
type Failed struct {
	Message    string
	AllowRetry bool
}

func (ItemDone) event()       {}
func (StreamOptions) event()  {}
func (ItemAdded) event()      {}
func (PartAdded) event()      {}
func (*TextDelta) event()     {}
func (PartDone) event()       {}
func (ThoughtAdded) event()   {}
func (ThoughtUpdated) event() {}
func (Progress) event()       {}
func (Notice) event()         {}
func (SessionUpdated) event() {}
func (Failed) event()         {}
