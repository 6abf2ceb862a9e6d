package chat

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Limits bound what a user may do and what is sent upstream.
type Limits struct {
	// SessionsPerUser is how many sessions a user may hold.
	SessionsPerUser int
	// MessageChars is the length of a user's message in Unicode code points,
	// of all its parts together.
	MessageChars int
	// HistoryMessages and HistoryChars (code points) bound the history sent
	// to the model.
	HistoryMessages int
	HistoryChars    int
}

// Options are what a Service is made of. Store and Model are required.
type Options struct {
	Store        Store
	Model        Model
	Limits       Limits
	SystemPrompt string
	// ModelName is noted with a run until upstream says who answered.
	ModelName string
	// Models are what a client may ask for beside ModelName.
	Models []string
	// TitleModel makes a title of a session's first exchange; empty leaves the
	// one of the first message.
	TitleModel string
	// WholeDetails puts together the details of a reasoning that came in
	// pieces, so that they are stored as they will be sent; nil leaves them.
	WholeDetails func(json.RawMessage) json.RawMessage
	// Tools are the server's; nil is none.
	Tools Toolbox
	// Attachments say where files are kept; nil takes none.
	Attachments *AttachmentOptions
	// Pseudonym turns a user's id into the stable name upstream is told.
	Pseudonym func(userID string) string
	// Detach returns a context that carries what logs and traces need of a
	// request's, and outlives it. Nil carries nothing.
	Detach func(ctx context.Context) context.Context
	// Observer is told of runs; nil is nobody.
	Observer Observer
	Logger   *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Lease is how long a run belongs to this process without renewal; a
	// process that dies blocks its threads no longer than that. Zero is 15 s.
	Lease time.Duration
}

const defaultLease = 15 * time.Second

// Service is the core: every door calls it, and it owns the runs.
type Service struct {
	Options

	// owner names this process in the leases of its runs.
	owner uuid.UUID

	mu       sync.Mutex
	draining bool // no new runs
	// stopping is closed when no runs may go on at all.
	stopping chan struct{}
	stop     sync.Once
	live     map[uuid.UUID]*ActiveRun // by session: one run at a time in each
	// starting are the runs that the store may or may not have, by session.
	starting map[uuid.UUID][]*ActiveRun
	runners  sync.WaitGroup
	files    fileHold
	// warned are the attachments whose contents were told to be missing.
	warned map[uuid.UUID]struct{}

	stopHousekeeping context.CancelFunc
	housekeeping     sync.WaitGroup
	sweeping         chan struct{}
}

// NewService returns a service that has not started its housekeeping: call
// Start before the first run.
func NewService(o Options) *Service {
	if o.Pseudonym == nil {
		o.Pseudonym = func(string) string { return "" }
	}
	if o.Detach == nil {
		o.Detach = func(context.Context) context.Context { return context.Background() }
	}
	if o.Observer == nil {
		o.Observer = noopObserver{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lease == 0 {
		o.Lease = defaultLease
	}
	return &Service{
		Options: o, owner: uuid.New(), stopping: make(chan struct{}), sweeping: make(chan struct{}, 1),
		files: newFileHold(maxHeldBytes, maxHoldWait),
		live:  make(map[uuid.UUID]*ActiveRun), starting: make(map[uuid.UUID][]*ActiveRun),
		warned: make(map[uuid.UUID]struct{}),
	}
}

// now is the time as the store keeps it, so that what is told when a thing is
// made is what is read of it later.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }
