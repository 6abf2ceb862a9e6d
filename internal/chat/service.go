package chat

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
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
	// stores says that the last run could be stored; unstored counts the
	// questions whose runs are not yet.
	stores   atomic.Bool
	unstored atomic.Int32

	files fileHold
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
		o.Observer = nobody{}
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

// CreateSession makes an empty session. Returns ErrSessionLimit if the user
// holds as many as allowed.
func (s *Service) CreateSession(ctx context.Context, userID string) (Session, error) {
	session := s.newSession(userID)
	if err := s.Store.CreateSession(ctx, session, s.Limits.SessionsPerUser); err != nil {
		return Session{}, err
	}
	return session, nil
}

func (s *Service) newSession(userID string) Session {
	now := s.now()
	return Session{ID: newID(), UserID: userID, CreatedAt: now, UpdatedAt: now}
}

// ListSessions returns a page of the user's sessions, newest update first.
func (s *Service) ListSessions(ctx context.Context, userID string, q SessionQuery) (SessionPage, error) {
	return s.Store.ListSessions(ctx, userID, q)
}

// Items returns a page of a thread's items that a client may see. Returns
// ErrSessionNotFound, ErrForbidden and ErrItemNotFound.
func (s *Service) Items(ctx context.Context, userID string, session uuid.UUID, q ItemQuery) (ItemPage, error) {
	return s.Store.ListItems(ctx, userID, session, q)
}

// Rename gives a session the title that its user chose. Returns
// INVALID_REQUEST, ErrSessionNotFound and ErrForbidden.
func (s *Service) Rename(ctx context.Context, userID string, id uuid.UUID, title string) (Session, error) {
	if err := checkTitle(title); err != nil {
		return Session{}, err
	}
	return s.Store.SetTitle(ctx, userID, id, strings.TrimSpace(title))
}

// AddFeedback keeps what a user thinks of items. Returns ErrSessionNotFound,
// ErrForbidden and ErrItemNotFound.
func (s *Service) AddFeedback(ctx context.Context, feedback Feedback) error {
	feedback.At = s.now()
	return s.Store.SaveFeedback(ctx, feedback)
}

// Session returns a session with its items, oldest first. Returns
// ErrSessionNotFound and ErrForbidden.
func (s *Service) Session(ctx context.Context, userID string, id uuid.UUID) (Session, []Item, error) {
	return s.Store.SessionWithItems(ctx, userID, id)
}

// DeleteSession deletes a session and all it holds, and cancels its run.
// Returns ErrSessionNotFound and ErrForbidden.
func (s *Service) DeleteSession(ctx context.Context, userID string, id uuid.UUID) error {
	if err := s.Store.DeleteSession(ctx, userID, id); err != nil {
		return err
	}
	s.sweepSoon()
	s.mu.Lock()
	defer s.mu.Unlock()
	if run := s.live[id]; run != nil {
		run.Cancel(FailureSessionGone)
	}
	for _, run := range s.starting[id] {
		run.Cancel(FailureSessionGone)
	}
	return nil
}

// OpenThread returns the session whose thread has the given id: each session
// has one, with the session's own id. Returns ErrSessionNotFound and
// ErrForbidden.
func (s *Service) OpenThread(ctx context.Context, userID string, sessionID uuid.UUID) (Session, error) {
	return s.Store.Session(ctx, userID, sessionID)
}

// Start marks the runs of dead processes as failed and begins to do so now
// and then, and to renew the leases of this process's own. Shutdown ends it.
func (s *Service) Start(ctx context.Context) error {
	if err := s.failOrphans(ctx); err != nil {
		return err
	}
	ctx, s.stopHousekeeping = context.WithCancel(context.WithoutCancel(ctx))
	s.housekeeping.Go(func() { s.keepHouse(ctx) })
	if s.Attachments != nil {
		s.housekeeping.Go(func() { s.keepAttachments(ctx) })
	}
	return nil
}

func (s *Service) keepHouse(ctx context.Context) {
	renew := time.NewTicker(s.Lease / 3)
	defer renew.Stop()
	reap := time.NewTicker(s.Lease)
	defer reap.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-renew.C:
			err = s.renewLeases(ctx)
		case <-reap.C:
			err = s.failOrphans(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "housekeeping failed; it is tried again", "error", err)
		}
	}
}

func (s *Service) renewLeases(ctx context.Context) error {
	s.mu.Lock()
	runs := make([]uuid.UUID, 0, len(s.live))
	for _, run := range s.live {
		runs = append(runs, run.ID)
	}
	s.mu.Unlock()
	if len(runs) == 0 {
		return nil
	}
	return s.Store.RenewLeases(ctx, runs, s.now().Add(s.Lease))
}

func (s *Service) failOrphans(ctx context.Context) error {
	failed, err := s.Store.FailOrphanedRuns(ctx, s.owner, s.now())
	if failed > 0 {
		s.Logger.WarnContext(ctx, "runs of a stopped server marked as failed", "runs", failed)
	}
	return err
}

// Live is the number of runs that this process works on.
func (s *Service) Live() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.live)
}

// Shutdown takes no new runs and waits for the live ones until ctx ends; then
// it stops them, saves what they have, and returns ctx's error.
func (s *Service) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()

	drained := make(chan struct{})
	go func() {
		s.runners.Wait()
		close(drained)
	}()
	var err error
	select {
	case <-drained:
	case <-ctx.Done():
		err = ctx.Err()
		s.cancelAll()
		<-drained
	}
	if s.stopHousekeeping != nil {
		s.stopHousekeeping()
	}
	s.housekeeping.Wait()
	return err
}

func (s *Service) cancelAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop.Do(func() { close(s.stopping) })
	for _, run := range s.live {
		run.Cancel(FailureServerStopped)
	}
}
