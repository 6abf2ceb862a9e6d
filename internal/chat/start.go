package chat

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// RunRequest asks for an answer to a user's message.
type RunRequest struct {
	UserID    string
	SessionID uuid.UUID
	ThreadID  uuid.UUID
	Content   []Content
	// QuotedText is what the message refers to; nil where nothing.
	QuotedText *string
	Inference  Inference
	// Attachments are the ids of uploaded files.
	Attachments []uuid.UUID
	// ClientTools are what the page offers the model.
	ClientTools []Tool
}

// RetryRequest asks for another answer to a user message.
type RetryRequest struct {
	UserID      string
	SessionID   uuid.UUID
	ItemID      uuid.UUID
	ClientTools []Tool
}

// ResumeRequest brings the output of the client tool that the thread waits
// for.
type ResumeRequest struct {
	UserID      string
	SessionID   uuid.UUID
	Output      json.RawMessage
	ClientTools []Tool
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
	tools   tools
	// steps is how often the model was asked since the user's message.
	steps int
	// ahead is the first question, where it went before the run was stored.
	ahead *ahead
	// used is what the steps before the present one used.
	used Usage
	// model is empty where the server's own is asked.
	model string
	// thought is the workflow that the run before left open.
	thought *Item
	// nameable says that a title may be made of the exchange, and asked is its
	// question then.
	nameable bool
	asked    string
	// observed says that the observer was told of the start, but of no end.
	observed bool
	// Under the service's lock, until the run is registered: storing says that it
	// may be on its way to the store, asking that its question may be out. Settled
	// is closed then.
	storing, asking bool
	settled         chan struct{}
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
// FORBIDDEN, THREAD_NOT_FOUND, RUN_IN_PROGRESS, ATTACHMENT_NOT_FOUND,
// ATTACHMENT_CONFLICT and, while the server stops, SERVICE_UNAVAILABLE.
func (s *Service) StartRun(ctx context.Context, req RunRequest) (*ActiveRun, error) {
	if err := s.checkRequest(req); err != nil {
		return nil, err
	}
	if req.ThreadID != req.SessionID {
		return nil, s.threadNotFound(ctx, req)
	}
	attachments, err := s.attachmentsFor(ctx, req.UserID, req.Attachments)
	if err != nil {
		return nil, err
	}
	return s.startMessage(ctx, req, attachments, false, func(ctx context.Context, start NewRun) (StartedRun, error) {
		return s.Store.StartRun(ctx, start, s.Limits.HistoryMessages)
	})
}

// StartThread makes a session and starts its first run; both are stored or
// neither. The session returned is as it was before the message. Returns
// errors as CreateSession and StartRun do.
func (s *Service) StartThread(ctx context.Context, req RunRequest) (*ActiveRun, Session, error) {
	if err := s.checkRequest(req); err != nil {
		return nil, Session{}, err
	}
	attachments, err := s.attachmentsFor(ctx, req.UserID, req.Attachments)
	if err != nil {
		return nil, Session{}, err
	}
	session := s.newSession(req.UserID)
	req.SessionID = session.ID
	run, err := s.startMessage(ctx, req, attachments, true, func(ctx context.Context, start NewRun) (StartedRun, error) {
		return s.Store.StartThread(ctx, session, s.Limits.SessionsPerUser, start)
	})
	return run, session, err
}

// startMessage starts a run that answers a message of the user's. Locks says
// that the store tells of the history with a lock held that others wait for.
func (s *Service) startMessage(
	ctx context.Context, req RunRequest, attachments []Attachment, locks bool,
	store func(ctx context.Context, start NewRun) (StartedRun, error),
) (*ActiveRun, error) {
	return s.start(ctx, starting{
		userID: req.UserID, sessionID: req.SessionID, inference: req.Inference, clientTools: req.ClientTools, locks: locks,
		store: func(ctx context.Context, run Run, found func([]Item)) (StartedRun, []Event, error) {
			message := Item{
				ID: newID(), SessionID: req.SessionID, RunID: run.ID, Type: ItemUserMessage,
				Content: req.Content, QuotedText: req.QuotedText, Inference: req.Inference, CreatedAt: run.StartedAt,
				Attachments: attachments,
			}
			start := NewRun{UserID: req.UserID, Run: run, Message: message, Title: titleOf(message)}
			if len(attachments) == 0 { // The store judges those.
				start.Found = func(history []Item) { found(append(slices.Clip(history), message)) }
			}
			started, err := store(ctx, start)
			started.History = append(slices.Clip(started.History), message)
			return started, []Event{ItemDone{message}}, err
		},
	})
}

// Retry answers a user message anew; what was answered before is kept in the
// store, superseded. Returns errors as StartRun does, and ErrItemNotFound.
func (s *Service) Retry(ctx context.Context, req RetryRequest) (*ActiveRun, error) {
	return s.start(ctx, starting{
		userID: req.UserID, sessionID: req.SessionID, clientTools: req.ClientTools,
		store: func(ctx context.Context, run Run, _ func([]Item)) (StartedRun, []Event, error) {
			retry := Retry{UserID: req.UserID, Run: run, ItemID: req.ItemID}
			started, err := s.Store.RetryRun(ctx, retry, s.Limits.HistoryMessages)
			return started, nil, err
		},
	})
}

// Resume goes on with the output of a client tool. Returns errors as StartRun
// does, and ErrNoPendingCall.
func (s *Service) Resume(ctx context.Context, req ResumeRequest) (*ActiveRun, error) {
	if len(req.Output) > maxOutputBytes {
		return nil, Errorf(CodeInvalidRequest, "The output is longer than %d bytes; return less.", maxOutputBytes)
	}
	if tooDeep(req.Output) {
		return nil, Errorf(CodeInvalidRequest, "The output is nested deeper than %d levels; return it flatter, or as a text.", maxDepth)
	}
	return s.start(ctx, starting{
		userID: req.UserID, sessionID: req.SessionID, clientTools: req.ClientTools,
		store: func(ctx context.Context, run Run, _ func([]Item)) (StartedRun, []Event, error) {
			resume := Resume{UserID: req.UserID, Run: run, Output: req.Output}
			started, err := s.Store.ResumeRun(ctx, resume, s.Limits.HistoryMessages)
			return started, nil, err
		},
	})
}

// starting is what the ways to start a run have in common, and the one thing
// they do not: how the run is stored.
type starting struct {
	userID      string
	sessionID   uuid.UUID
	inference   Inference
	clientTools []Tool
	// store returns the run's first events too. It may call found, once, as
	// soon as it knows the history that the run goes on from.
	store func(ctx context.Context, run Run, found func(history []Item)) (StartedRun, []Event, error)
	// locks says that others wait for a lock while found is called.
	locks bool
}

func (s *Service) start(ctx context.Context, what starting) (*ActiveRun, error) {
	tools, err := s.gatherTools(ctx, what.clientTools, what.inference.ToolChoice)
	if err != nil {
		return nil, err
	}
	if err := s.enter(); err != nil {
		return nil, err
	}
	active := s.newActiveRun(ctx, what, tools)
	if err := s.begin(ctx, active, what); err != nil {
		return nil, err
	}
	go s.runToEnd(active)
	runtime.Gosched() // The runner first: what the caller does next, it does while upstream thinks.
	s.Logger.InfoContext(active.ctx, "run started", "run", active.ID, "session", what.sessionID, "user", what.userID)
	return active, nil
}

// begin stores the run and registers it. Where it fails, the run's runner is
// counted out.
func (s *Service) begin(ctx context.Context, r *ActiveRun, what starting) error {
	s.announce(r)
	err := s.checkFree(ctx, r, what)
	unknown := false
	if err == nil {
		err = s.guard(r, func() error { return s.saveStart(ctx, r, what) })
		unknown = err != nil && !isRefusal(err)
		switch { // A refusal shows nothing, nor a client that went away.
		case err == nil:
			s.stores.Store(true)
		case unknown && !errors.Is(err, context.Canceled):
			s.stores.Store(false)
		}
	}
	s.register(r, err == nil)
	if err == nil {
		return nil
	}
	r.cancel(nil)
	if r.ahead != nil {
		s.drop(r, "the run could not be stored")
	}
	if !unknown {
		s.runners.Done()
		return err
	}
	go func() {
		defer s.runners.Done()
		_ = s.guard(r, func() error { // It logs what went wrong.
			s.abandon(r)
			return nil
		})
	}()
	return err
}

func (s *Service) newActiveRun(ctx context.Context, what starting, tools tools) *ActiveRun {
	id := newID()
	runCtx, cancel := context.WithCancelCause(s.Detach(ctx))
	return &ActiveRun{
		ID: id, user: what.userID, ctx: runCtx, cancel: cancel, tools: tools,
		settled: make(chan struct{}), forgotten: make(chan struct{}),
		run: Run{
			ID: id, SessionID: what.sessionID, Status: RunRunning, Model: s.ModelName, Owner: s.owner,
		},
	}
}

// startAt gives the run its time. It is for a run that is about to be stored: its
// lease counts from then on.
func (r *ActiveRun) startAt(now time.Time, lease time.Duration) {
	r.run.StartedAt, r.run.LeaseUntil = now, now.Add(lease)
}

// saveStart stores the run, and readies it with what the store then knows.
func (s *Service) saveStart(ctx context.Context, r *ActiveRun, what starting) error {
	asks, outer := false, r.ctx
	defer func() {
		if asks {
			s.unstored.Add(-1)
		}
	}()
	started, events, err := what.store(ctx, r.run, func(history []Item) {
		if asks = s.mayAskAhead(r); asks {
			s.askAhead(r, history, what.locks)
		}
	})
	if err != nil {
		return err
	}
	if started.Misled && r.ahead != nil {
		s.takeBack(r)
		r.ctx = outer
	}
	if r.ahead == nil {
		s.prepare(r, started.History)
	}
	r.session, r.titled = started.Session, started.TitleSet
	if len(events) == 0 {
		r.tools.choice = r.tools.chosen(started.History)
	}
	if r.nameable = started.TitleCut && s.TitleModel != ""; r.nameable {
		r.asked = questionOf(started.History)
	}
	r.log = newRunLog(append(events, StreamOptions{AllowCancel: true})...)
	return nil
}

// prepare readies a run with the history that it goes on from.
func (s *Service) prepare(r *ActiveRun, items []Item) {
	history := boundHistory(items, s.Limits.HistoryMessages, s.Limits.HistoryChars)
	r.steps = stepsOf(history)
	if s.SystemPrompt != "" {
		history = append([]Message{{Role: RoleSystem, Content: s.SystemPrompt}}, history...)
	}
	r.history, r.thought = history, leftOpen(items)
	if r.model = s.modelOf(items); r.model != "" {
		r.run.Model = r.model
	}
	r.ctx = s.Observer.RunStarted(r.ctx, r.run)
	r.observed = true
}

// modelOf is the model that the last user message asks for; empty is the
// server's own, also where the one asked for is offered no more.
func (s *Service) modelOf(history []Item) string {
	for _, item := range slices.Backward(history) {
		if item.Type == ItemUserMessage {
			if s.checkModel(item.Inference.Model) != nil {
				return ""
			}
			return item.Inference.Model
		}
	}
	return ""
}

// newID makes the id of a session, an item or a run: a UUID of version 7, so
// that rows written together lie together in an index.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func (s *Service) threadNotFound(ctx context.Context, req RunRequest) error {
	if _, err := s.Store.Session(ctx, req.UserID, req.SessionID); err != nil {
		return err
	}
	return Errorf(CodeThreadNotFound, "This session has no such thread; a session's thread has the session's id.")
}
