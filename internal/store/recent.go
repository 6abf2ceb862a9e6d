package store

import (
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	// maxRecent bounds the items kept, in bytes: twice as many at most.
	maxRecent = 8 << 20
	// maxRecentThread bounds those of one thread.
	maxRecentThread = 256 << 10
	// itemBytes is what an item takes beside its texts.
	itemBytes = 512
)

// recent has the newest items of the threads that were last written to, so that
// the next message of a thread needs no reading. It is for SQLite, whose file
// this process alone writes to. Nil keeps nothing.
type recent struct {
	mu sync.Mutex
	// newer threads become older ones when they are many; those of older that
	// are not seen again go then.
	newer, older map[uuid.UUID]*recentThread
	bytes        int // of newer
}

// recentThread is what is known of a thread.
type recentThread struct {
	userID string
	// seq is the position of the newest item.
	seq   int64
	items []chat.Item // oldest first
	// whole says that the thread has no other items.
	whole bool
	// busy says that a run is under way, or about to be.
	busy  bool
	bytes int
}

// claimed is a thread that a run is about to begin in.
type claimed struct {
	thread *recentThread
	// items are the newest, oldest first.
	items []chat.Item
}

// claim takes a thread for a run of the user's. It returns nil where it does not
// know up to limit of the newest items, or a run may be under way. Until the
// thread is stored anew [recent.holds] tells whether it still is so.
func (r *recent) claim(session uuid.UUID, userID string, limit int) *claimed {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.get(session)
	if t == nil || t.busy || t.userID != userID || !t.whole && len(t.items) < limit {
		return nil
	}
	t.busy = true
	return &claimed{thread: t, items: slices.Clip(t.items[max(0, len(t.items)-max(limit, 0)):])}
}

// holds says whether a thread is as it was claimed, and its newest item before
// the one that a run begins with is at the position before seq.
func (r *recent) holds(session uuid.UUID, c *claimed, seq int64) bool {
	if c == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.get(session) == c.thread && c.thread.seq+1 == seq
}

// begin notes a thread with the newest of its items, oldest first, or all.
func (r *recent) begin(session uuid.UUID, t recentThread) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(session)
	for n := range t.items {
		t.bytes += bytesOf(&t.items[n])
	}
	r.put(session, &t)
}

// add notes items that were stored after those that are known, the newest at the
// position seq. It forgets a thread where others were stored too.
func (r *recent) add(session uuid.UUID, seq int64, busy bool, items ...chat.Item) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.get(session)
	r.drop(session)
	if t == nil || t.seq+int64(len(items)) != seq {
		return
	}
	for n := range items {
		if !isPlain(&items[n]) {
			return
		}
		t.bytes += bytesOf(&items[n])
	}
	t.items, t.seq, t.busy = append(t.items, items...), seq, busy
	r.put(session, t)
}

// forget is for what changes a thread in any other way. Who does so in a
// transaction forgets within it: then whoever comes after it knows, and whoever
// came before has noted what it stored. What another user is refused changes
// nothing.
func (r *recent) forget(session uuid.UUID) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(session)
}

// get, put and drop are for who holds the lock.
func (r *recent) get(session uuid.UUID) *recentThread {
	if t := r.newer[session]; t != nil {
		return t
	}
	return r.older[session]
}

func (r *recent) put(session uuid.UUID, t *recentThread) {
	if t.bytes > maxRecentThread {
		return // The next start reads as much as it needs.
	}
	if r.newer == nil || r.bytes > maxRecent {
		r.newer, r.older, r.bytes = make(map[uuid.UUID]*recentThread), r.newer, 0
	}
	r.newer[session] = t
	r.bytes += itemBytes + t.bytes
}

func (r *recent) drop(session uuid.UUID) {
	if t := r.newer[session]; t != nil {
		r.bytes -= itemBytes + t.bytes
		delete(r.newer, session)
	}
	delete(r.older, session)
}

// isPlain says that an item is read as it was stored: a text and no more.
func isPlain(item *chat.Item) bool {
	return len(item.Content) == 1 && item.Content[0].Tag == nil && len(item.Attachments) == 0 &&
		item.ToolCalls == nil && item.ClientCall == nil && item.Workflow == nil
}

func bytesOf(item *chat.Item) int {
	n := itemBytes + len(item.ReasoningDetails)
	for _, part := range item.Content {
		n += len(part.Text)
		for _, source := range part.Annotations {
			n += itemBytes + len(source.URL) + len(source.Title)
		}
		if part.Tag != nil {
			n += itemBytes + len(part.Tag.ID) + len(part.Tag.Data)
		}
	}
	for _, call := range item.ToolCalls {
		n += itemBytes + len(call.ID) + len(call.Name) + len(call.Arguments)
		if call.Result != nil {
			n += len(*call.Result)
		}
	}
	if item.QuotedText != nil {
		n += len(*item.QuotedText)
	}
	if item.ClientCall != nil {
		n += itemBytes + len(item.ClientCall.Arguments) + len(item.ClientCall.Output)
	}
	if item.Workflow != nil {
		for _, thought := range item.Workflow.Thoughts {
			n += len(thought)
		}
	}
	return n + itemBytes*len(item.Attachments)
}
