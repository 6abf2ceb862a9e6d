package runs

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// RunRequest asks for an answer to a user's message.
type RunRequest struct {
	UserID    string
	SessionID uuid.UUID
	ThreadID  uuid.UUID
	Content   []chat.Content
	// QuotedText is what the message refers to; nil where nothing.
	QuotedText *string
	Inference  chat.Inference
	// Locale is the user's, a BCP 47 tag that the model is told; empty where none
	// is known.
	Locale string
	// Attachments are the ids of uploaded files.
	Attachments []uuid.UUID
	// ClientTools are the tools that the page offers the model.
	ClientTools []chat.Tool
}

// RetryRequest asks for another answer to a user message.
type RetryRequest struct {
	UserID      string
	SessionID   uuid.UUID
	ItemID      uuid.UUID
	Locale      string
	ClientTools []chat.Tool
}

// ResumeRequest carries the output of the client tool that the thread waits
// for.
type ResumeRequest struct {
	UserID      string
	SessionID   uuid.UUID
	Output      json.RawMessage
	Locale      string
	ClientTools []chat.Tool
}

// StartRun stores the user's message with a new run, and then answers it. When
// it returns, the message is durable; the answer is followed in the run's log.
// The model is asked nothing about a run that is not stored.
//
// Returns EMPTY_MESSAGE, MESSAGE_TOO_LONG, INVALID_REQUEST, SESSION_NOT_FOUND,
// FORBIDDEN, THREAD_NOT_FOUND, RUN_IN_PROGRESS, ATTACHMENT_NOT_FOUND,
// ATTACHMENT_CONFLICT and, while the server stops, SERVICE_UNAVAILABLE.
func (s *Service) StartRun(ctx context.Context, req RunRequest) (*ActiveRun, error) {
	if err := s.checkRequest(req); err != nil {
		return nil, err
	}
	if err := s.CheckThread(ctx, req.UserID, req.SessionID, req.ThreadID); err != nil {
		return nil, err
	}
	attachments, err := s.Attachments.ForMessage(ctx, req.UserID, req.Attachments)
	if err != nil {
		return nil, err
	}
	tools, err := s.gatherTools(ctx, req.ClientTools, req.Inference.ToolChoice)
	if err != nil {
		return nil, err
	}
	e, err := s.admit(ctx, req.UserID, req.SessionID, req.Inference.Model)
	if err != nil {
		return nil, err
	}
	defer s.withdraw(e)
	e.locale = req.Locale
	start := e.newRun(req, attachments)
	started, err := s.Store.StartRun(ctx, start, s.Limits.HistoryMessages)
	started.History = append(slices.Clip(started.History), start.Message)
	return s.launch(e, tools, started, err, chat.ItemDone{Item: start.Message})
}

// StartThread makes a session and starts its first run; both are stored or
// neither is. The session returned is as it was before the message. Returns
// errors as CreateSession and StartRun do.
func (s *Service) StartThread(ctx context.Context, req RunRequest) (*ActiveRun, chat.Session, error) {
	if err := s.checkRequest(req); err != nil {
		return nil, chat.Session{}, err
	}
	attachments, err := s.Attachments.ForMessage(ctx, req.UserID, req.Attachments)
	if err != nil {
		return nil, chat.Session{}, err
	}
	tools, err := s.gatherTools(ctx, req.ClientTools, req.Inference.ToolChoice)
	if err != nil {
		return nil, chat.Session{}, err
	}
	session := s.newSession(req.UserID)
	req.SessionID = session.ID
	e, err := s.admit(ctx, req.UserID, req.SessionID, req.Inference.Model)
	if err != nil {
		return nil, chat.Session{}, err
	}
	defer s.withdraw(e)
	e.locale = req.Locale
	start := e.newRun(req, attachments)
	started, err := s.Store.StartThread(ctx, session, s.Limits.SessionsPerUser, start)
	started.History = []chat.Item{start.Message}
	run, err := s.launch(e, tools, started, err, chat.ItemDone{Item: start.Message})
	return run, session, err
}

// Retry answers a user message anew; the store keeps the answer before it as
// superseded. Returns errors as StartRun does, and ErrItemNotFound.
func (s *Service) Retry(ctx context.Context, req RetryRequest) (*ActiveRun, error) {
	tools, err := s.gatherTools(ctx, req.ClientTools, "")
	if err != nil {
		return nil, err
	}
	e, err := s.admit(ctx, req.UserID, req.SessionID, "")
	if err != nil {
		return nil, err
	}
	defer s.withdraw(e)
	e.locale = req.Locale
	retry := chat.Retry{UserID: req.UserID, Run: e.run, ItemID: req.ItemID, Models: s.offeredModels()}
	started, err := s.Store.RetryRun(ctx, retry, s.Limits.HistoryMessages)
	return s.launch(e, tools, started, err)
}

// Resume continues with the output of a client tool. Returns errors as StartRun
// does, and ErrNoPendingCall.
func (s *Service) Resume(ctx context.Context, req ResumeRequest) (*ActiveRun, error) {
	if err := checkOutput(req.Output); err != nil {
		return nil, err
	}
	tools, err := s.gatherTools(ctx, req.ClientTools, "")
	if err != nil {
		return nil, err
	}
	e, err := s.admit(ctx, req.UserID, req.SessionID, "")
	if err != nil {
		return nil, err
	}
	defer s.withdraw(e)
	e.locale = req.Locale
	resume := chat.Resume{UserID: req.UserID, Run: e.run, Output: req.Output, Models: s.offeredModels()}
	started, err := s.Store.ResumeRun(ctx, resume, s.Limits.HistoryMessages)
	return s.launch(e, tools, started, err)
}

// launch executes a run that the store has taken. The first events come before
// those of the answer. It returns the store's error if there is one.
func (s *Service) launch(e *executor, tools tools, started chat.StartedRun, err error, first ...chat.Event) (*ActiveRun, error) {
	if err != nil {
		e.refused = isRefusal(err)
		return nil, err
	}
	e.prepare(tools, started)
	e.log = s.Log.Create(e.ID)
	e.log.Append(append(first, chat.StreamOptions{AllowCancel: true})...)
	s.register(e)
	s.Logger.InfoContext(e.ctx, "run started", "run", e.ID, "session", e.sessionID, "user", e.userID)
	go e.execute()
	return e.ActiveRun, nil
}

// newRun is what the store is given of a run that answers a user's message.
func (e *executor) newRun(req RunRequest, attachments []chat.Attachment) chat.NewRun {
	message := chat.Item{
		ID: newID(), SessionID: req.SessionID, RunID: e.ID, Type: chat.ItemUserMessage,
		Content: req.Content, QuotedText: req.QuotedText, Inference: req.Inference, CreatedAt: e.run.StartedAt,
		Attachments: attachments,
	}
	return chat.NewRun{UserID: req.UserID, Run: e.run, Message: message, Title: titleOf(message)}
}

// isRefusal reports whether the store refused an operation, and so did nothing.
func isRefusal(err error) bool {
	code := chat.CodeOf(err)
	return code != "" && code != chat.CodeServiceUnavailable
}

// newID makes the id of a session, an item or a run: a UUID of version 7, so
// that rows stored together are next to each other in an index.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
