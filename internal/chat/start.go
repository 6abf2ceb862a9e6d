package chat

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// RunRequest asks for an answer to a user's message.
type RunRequest struct {
	UserID    string
	SessionID uuid.UUID
	ThreadID  uuid.UUID
	Content   []Content
}

// ActiveRun is a run this process works on.
type ActiveRun struct {
	ID uuid.UUID

	run     Run
	session Session
	// titled says that the session got its title from this run's message.
	titled  bool
	log     *runLog
	cancel  context.CancelCauseFunc
	ctx     context.Context //nolint:containedctx // a run has its own life, which is what this context is
	history []Message
	user    string
	// ending says that the end is being saved; forgotten is closed when it is.
	ending    atomic.Bool
	forgotten chan struct{}
}

// Opened waits until upstream has begun to answer. Returns an UPSTREAM_ERROR
// if it will not, and ctx's error if ctx ends first.
func (r *ActiveRun) Opened(ctx context.Context) error {
	select {
	case <-r.log.opened:
	case <-ctx.Done():
		return ctx.Err()
	}
	return r.log.refusal
}

// Follow reads the run's events after the given sequence number; 0 reads all.
func (r *ActiveRun) Follow(after int) *Follower { return r.log.follow(after) }

// Cancel ends the run; what had come is saved. It does not wait.
func (r *ActiveRun) Cancel(why FailureCode) { r.cancel(cancelled{why}) }

// cancelled is the cause of a cancelled run's context.
type cancelled struct{ code FailureCode }

func (c cancelled) Error() string { return "the run was cancelled: " + string(c.code) }

// StartRun saves the user's message and sets out to answer it. When it
// returns the message is durable; the answer is followed in the run's log.
//
// Returns EMPTY_MESSAGE, MESSAGE_TOO_LONG, INVALID_REQUEST, SESSION_NOT_FOUND,
// FORBIDDEN, THREAD_NOT_FOUND, RUN_IN_PROGRESS and, while the server stops,
// SERVICE_UNAVAILABLE.
func (s *Service) StartRun(ctx context.Context, req RunRequest) (*ActiveRun, error) {
	if err := s.checkMessage(req.Content); err != nil {
		return nil, err
	}
	if req.ThreadID != req.SessionID {
		return nil, s.threadNotFound(ctx, req)
	}
	if err := s.enter(); err != nil {
		return nil, err
	}
	active := s.newActiveRun(ctx, req)
	if err := s.begin(ctx, active, req); err != nil {
		return nil, err
	}
	go s.runToEnd(active)
	runtime.Gosched() // The runner first: what the caller does next, it does while upstream thinks.
	s.Logger.InfoContext(active.ctx, "run started", "run", active.ID, "session", req.SessionID, "user", req.UserID)
	return active, nil
}

// begin stores the run and registers it. Where it fails, the run's runner is
// counted out.
func (s *Service) begin(ctx context.Context, r *ActiveRun, req RunRequest) error {
	s.announce(r)
	err := s.checkFree(ctx, req)
	unknown := false
	if err == nil {
		err = s.saveStart(ctx, r, req)
		unknown = err != nil && !isRefusal(err)
	}
	s.register(r, err == nil)
	switch {
	case err == nil:
		return nil
	case unknown:
		go func() {
			defer s.runners.Done()
			s.abandon(r)
		}()
	default:
		s.runners.Done()
	}
	r.cancel(nil)
	return err
}

func (s *Service) newActiveRun(ctx context.Context, req RunRequest) *ActiveRun {
	now := s.now()
	id := newID()
	runCtx, cancel := context.WithCancelCause(s.Detach(ctx))
	return &ActiveRun{
		ID: id, user: req.UserID, ctx: runCtx, cancel: cancel, forgotten: make(chan struct{}),
		run: Run{
			ID: id, SessionID: req.SessionID, Status: RunRunning, Model: s.ModelName, StartedAt: now,
			Owner: s.owner, LeaseUntil: now.Add(s.Lease),
		},
	}
}

// announce makes a run known to whoever deletes its session, before the store
// has it: the deletion may come between the two.
func (s *Service) announce(r *ActiveRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starting[r.run.SessionID] = append(s.starting[r.run.SessionID], r)
}

// register ends the announcement of a run. One that was started is known from
// then on to those who may cancel it.
func (s *Service) register(r *ActiveRun, started bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.run.SessionID
	s.starting[id] = slices.DeleteFunc(s.starting[id], func(other *ActiveRun) bool { return other == r })
	if len(s.starting[id]) == 0 {
		delete(s.starting, id)
	}
	if !started {
		return
	}
	s.live[id] = r
	select {
	case <-s.stopping:
		r.Cancel(FailureServerStopped)
	default:
	}
}

// enter counts a runner in, unless the service drains.
func (s *Service) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		err := Errorf(CodeServiceUnavailable, "The server is restarting; try again shortly.")
		err.RetryAfter = time.Second
		return err
	}
	s.runners.Add(1)
	return nil
}

// saveStart stores the run and its message, and readies the run with what the
// store then knows.
func (s *Service) saveStart(ctx context.Context, r *ActiveRun, req RunRequest) error {
	message := Item{
		ID: newID(), SessionID: req.SessionID, RunID: r.ID, Type: ItemUserMessage,
		Content: req.Content, CreatedAt: r.run.StartedAt,
	}
	started, err := s.Store.StartRun(ctx, NewRun{
		UserID: req.UserID, Run: r.run, Message: message, Title: titleFrom(message.Text()),
	}, s.Limits.HistoryMessages)
	if err != nil {
		return err
	}
	history := boundHistory(append(started.History, message), s.Limits.HistoryMessages, s.Limits.HistoryChars)
	if s.SystemPrompt != "" {
		history = append([]Message{{Role: RoleSystem, Content: s.SystemPrompt}}, history...)
	}
	r.session, r.titled, r.history = started.Session, started.TitleSet, history
	r.log = newRunLog(ItemDone{message}, StreamOptions{AllowCancel: true})
	r.ctx = s.Observer.RunStarted(r.ctx, r.run)
	return nil
}

// newID makes the id of an item or a run: a UUID of version 7, so that rows
// written together lie together in an index.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func (s *Service) threadNotFound(ctx context.Context, req RunRequest) error {
	if _, err := s.Store.Session(ctx, req.UserID, req.SessionID); err != nil {
		return err
	}
	return Errorf(CodeThreadNotFound, "This session has no such thread; a session's thread has the session's id.")
}

func (s *Service) checkMessage(content []Content) error {
	chars, blank := 0, true
	for n, part := range content {
		chars += utf8.RuneCountInString(part.Text)
		blank = blank && strings.TrimSpace(part.Text) == ""
		if strings.ContainsRune(part.Text, 0) {
			return Errorf(CodeInvalidRequest, "message.content[%d].text holds a NUL character; leave it out.", n)
		}
	}
	if len(content) > s.Limits.MessageChars { // Empty parts have no characters and yet a size.
		return Errorf(CodeMessageTooLong, "The message has %d parts; it may have as many as characters, %d.",
			len(content), s.Limits.MessageChars)
	}
	if chars > s.Limits.MessageChars {
		return Errorf(CodeMessageTooLong, "The message has %d characters; the limit is %d characters.",
			chars, s.Limits.MessageChars)
	}
	if blank {
		return Errorf(CodeEmptyMessage, "The message is empty; write something in message.content[0].text.")
	}
	return nil
}

// endingWait is how long a message waits for a run before it that is about to
// end: one that is being saved, or was cancelled.
const endingWait = 2 * time.Second

// checkFree refuses a thread whose run lives in this process: the database may
// not know any more, where the run's lease ran out while it was away. Who has
// stopped a run, or reads its end in the database, may send the next message
// at once; it waits until the run has left.
func (s *Service) checkFree(ctx context.Context, req RunRequest) error {
	s.mu.Lock()
	live := s.live[req.SessionID]
	s.mu.Unlock()
	if live == nil || live.leaves(ctx) {
		return nil
	}
	if _, err := s.Store.Session(ctx, req.UserID, req.SessionID); err != nil {
		return err
	}
	return ErrRunInProgress()
}

// leaves says whether a run that is about to end has done so.
func (r *ActiveRun) leaves(ctx context.Context) bool {
	if !r.ending.Load() && r.ctx.Err() == nil {
		return false
	}
	limit := time.NewTimer(endingWait)
	defer limit.Stop()
	select {
	case <-r.forgotten:
		return true
	case <-limit.C:
	case <-ctx.Done():
	}
	return false
}
