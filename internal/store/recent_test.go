package store

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

func said(text string) chat.Item {
	return chat.Item{ID: uuid.New(), Type: chat.ItemAssistantMessage, Content: []chat.Content{{Text: text}}}
}

func TestRecentKnowsWhoMayAsk(t *testing.T) {
	t.Parallel()
	r, session := &recent{}, uuid.New()
	r.begin(session, recentThread{userID: "alice", seq: 5, items: []chat.Item{said("four"), said("five")}})
	for name, c := range map[string]struct {
		session uuid.UUID
		user    string
		limit   int
	}{
		"another thread": {uuid.New(), "alice", 2}, "another user": {session, "bob", 2}, "more than it knows": {session, "alice", 3},
	} {
		if r.claim(c.session, c.user, c.limit) != nil {
			t.Errorf("%s: it knows", name)
		}
	}
}

func TestRecentFollowsAThread(t *testing.T) {
	t.Parallel()
	r, session := &recent{}, uuid.New()
	r.begin(session, recentThread{userID: "alice", seq: 5, items: []chat.Item{said("four"), said("five")}})
	known := wantClaim(t, r, session, 1, "five")
	if cap(known.items) != 1 {
		t.Error("who appends to what is known writes over what comes")
	}
	wantHolds(t, r, session, known, 6, true)
	wantHolds(t, r, session, known, 7, false)
	wantHolds(t, r, session, nil, 6, false)
	wantClaim(t, r, session, 1) // It is claimed.
	r.add(session, 6, true, said("six"))
	wantClaim(t, r, session, 1) // A run is under way.
	r.add(session, 7, false, said("seven"))
	known = wantClaim(t, r, session, 4, "four", "five", "six", "seven")
	wantHolds(t, r, session, known, 8, true)
	r.forget(session)
	wantHolds(t, r, session, known, 8, false)
	r.begin(session, *known.thread)
	wantHolds(t, r, session, known, 8, false)
	r.add(session, 9, false, said("nine"))
	wantClaim(t, r, session, 1) // The eighth is not known.
}

func wantClaim(t *testing.T, r *recent, session uuid.UUID, limit int, texts ...string) *claimed {
	t.Helper()
	var got []string
	known := r.claim(session, "alice", limit)
	if known != nil {
		for _, item := range known.items {
			got = append(got, item.Text())
		}
	}
	if !slices.Equal(got, texts) {
		t.Fatalf("it knows %q, want %q", got, texts)
	}
	return known
}

func wantHolds(t *testing.T, r *recent, session uuid.UUID, known *claimed, seq int64, want bool) {
	t.Helper()
	if got := r.holds(session, known, seq); got != want {
		t.Errorf("before the position %d it holds: %t", seq, got)
	}
}

// What keeps nothing may be asked all the same.
func TestRecentOfNothing(t *testing.T) {
	t.Parallel()
	var none *recent
	session := uuid.New()
	none.begin(session, recentThread{})
	none.add(session, 1, false)
	none.forget(session)
	if none.claim(session, "", 0) != nil || none.holds(session, nil, 1) {
		t.Error("nothing knows a thread")
	}
}

func TestRecentIsBounded(t *testing.T) {
	t.Parallel()
	r, used := &recent{}, uuid.New()
	r.begin(used, recentThread{userID: "alice", whole: true})
	text := strings.Repeat("x", 10_000)
	for n := range 5_000 {
		r.begin(uuid.New(), recentThread{userID: "bob", seq: 1, items: []chat.Item{said(text)}, whole: true})
		if n%100 == 0 {
			r.add(used, int64(n/100+1), false, said("short"))
		}
		held := 0
		for _, threads := range []map[uuid.UUID]*recentThread{r.newer, r.older} {
			for _, thread := range threads {
				held += itemBytes + thread.bytes
			}
		}
		if held > 2*maxRecent+maxRecentThread*2 {
			t.Fatalf("%d bytes are held", held)
		}
	}
	if known := r.claim(used, "alice", 100); known == nil || len(known.items) != 50 {
		t.Errorf("of a thread in use %+v is known", known)
	}
	long := uuid.New()
	r.begin(long, recentThread{userID: "alice", whole: true})
	for n := int64(1); n <= 30; n++ {
		r.add(long, n, false, said(text))
	}
	if r.claim(long, "alice", 1) != nil {
		t.Error("a thread of 300,000 bytes is held")
	}
}
