package runs

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/attachments"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/prompt"
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
	// RunTime is how long a run may take; zero is 30 minutes.
	RunTime time.Duration
}

// Options are what a Service is made of. Store, Log and Model are
// required.
type Options struct {
	Store        chat.Store
	Log          chat.EventLog
	Model        chat.Model
	Limits       Limits
	SystemPrompt string
	// ModelName is the default model. It is stored with a run until upstream
	// names the model that answers.
	ModelName string
	// Models are those that a client may ask for, besides ModelName.
	Models []string
	// TitleModel makes a title from a session's first exchange; empty leaves
	// the title that is made from the first message.
	TitleModel string
	// JoinDetails joins reasoning details that came in pieces, so that they
	// are stored as they will be sent; nil leaves them in pieces.
	JoinDetails func(json.RawMessage) json.RawMessage
	// Tools are the server's tools; nil is none.
	Tools chat.Toolbox
	// Attachments are the files of messages; nil refuses files.
	Attachments *attachments.Service
	// Pseudonym turns a user's id into a stable name for upstream.
	Pseudonym func(userID string) string
	// Detach returns a context that outlives a request's and carries what logs
	// and traces need of it. Nil carries nothing.
	Detach func(ctx context.Context) context.Context
	// Observer observes runs; it may be nil.
	Observer chat.Observer
	Logger   *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Lease is how long a run belongs to this process without renewal. A
	// process that dies blocks its threads for no longer. Zero is 15 s.
	Lease time.Duration
}

const (
	defaultLease   = 15 * time.Second
	defaultRunTime = 30 * time.Minute
)

// Service is the core: the API adapters call it, and it owns the runs.
type Service struct {
	Options

	// owner identifies this process in the leases of its runs.
	owner uuid.UUID

	mu       sync.Mutex
	draining bool // no new runs
	// stopping is closed when no run may continue.
	stopping chan struct{}
	stop     sync.Once
	live     map[uuid.UUID]*ActiveRun // by session: one run at a time in each
	// starting are the admitted runs that are not registered yet, by session.
	starting map[uuid.UUID][]*ActiveRun
	runners  sync.WaitGroup
	files    *prompt.Files

	stopMaintenance context.CancelFunc
	maintenance     sync.WaitGroup
}

// NewService returns a service. Call Start before the first run.
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
	if o.Attachments == nil {
		o.Attachments = attachments.New(attachments.Options{})
	}
	if o.Lease == 0 {
		o.Lease = defaultLease
	}
	if o.Limits.RunTime == 0 {
		o.Limits.RunTime = defaultRunTime
	}
	return &Service{
		Options: o, owner: uuid.New(), stopping: make(chan struct{}),
		files: prompt.NewFiles(o.Attachments, o.Limits.HistoryChars, o.Logger),
		live:  make(map[uuid.UUID]*ActiveRun), starting: make(map[uuid.UUID][]*ActiveRun),
	}
}

// now is the time with the precision of the store, so that a new row and the
// same row read later agree.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// noopObserver is the observer of a service that has none.
type noopObserver struct{}

func (noopObserver) RunStarted(ctx context.Context, _ chat.Run) context.Context { return ctx }
func (noopObserver) RunEnded(context.Context, chat.Run)                         {}
func (noopObserver) TitleAsked(context.Context, string, chat.Usage)             {}
