package runs

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/prompt"
)

const (
	// eventBytes is what each event counts towards chat.MaxAnswerBytes besides its
	// text.
	eventBytes = 96
	// maxSteps is how often the model is asked in one turn, over all runs of
	// the turn: a call of a client tool ends one run and starts another. In
	// the last step the model may call no tool.
	maxSteps = 12
)

// executor executes one run: it asks the model, appends to the run's log,
// calls tools, and stores what the run makes. One goroutine owns it.
type executor struct {
	*ActiveRun

	s *Service
	// ctx is the ActiveRun's, with what the observer adds.
	ctx context.Context //nolint:containedctx // a run outlives the request that starts it
	run chat.Run

	// launched and refused are the outcome of the start: see withdraw.
	launched, refused bool

	session chat.Session
	// titleSet says that the session got its title from this run's message.
	titleSet bool
	// titlePrompt is the text a title is made of; empty where none is needed.
	needsTitle  bool
	titlePrompt string
	// observed says that the observer was told of the start, but not of the end.
	observed bool

	history prompt.History
	tools   tools
	// locale is the user's; empty where none is known.
	locale string
	// model is empty where the server's default model is asked.
	model string
	// steps is how often the model was asked since the user's message.
	steps int
	// earlierUsage is the usage of the steps before the present one.
	earlierUsage chat.Usage

	answer
}

// answer is what a run has made of its answer so far.
type answer struct {
	// message is the assistant message that is open while text comes, and text
	// its text, or the blank text before it.
	message     chat.Item
	messageOpen bool
	text        strings.Builder
	sources     []chat.Annotation
	// workflow is the open workflow item; nil while the model does not reason.
	workflow *openWorkflow
	// unsaved items are complete and not stored yet. Those in unpublished are
	// published once they are stored.
	unsaved     []chat.Item
	unpublished []chat.Item
	// unsavedResults is a stored item whose tools' results are not stored yet.
	unsavedResults *chat.Item

	// failure is what followers are told of the end; nil is a complete answer.
	failure *failure
	// endSaved and endPublished are the progress of the end.
	endSaved, endPublished bool

	hasText bool
	size    int // counts towards chat.MaxAnswerBytes
}

func (s *Service) newExecutor(ctx context.Context, userID string, sessionID uuid.UUID, model string) *executor {
	runCtx, cancel := context.WithCancelCause(s.Detach(ctx))
	active := &ActiveRun{
		ID: newID(), userID: userID, sessionID: sessionID, ctx: runCtx, cancel: cancel,
		opened: make(chan struct{}), unregistered: make(chan struct{}),
	}
	now := s.now()
	if model == "" {
		model = s.ModelName
	}
	return &executor{
		ActiveRun: active, s: s, ctx: runCtx,
		run: chat.Run{
			ID: active.ID, SessionID: sessionID, Status: chat.RunRunning, Model: model, Owner: s.owner,
			StartedAt: now, Lease: s.Lease,
		},
	}
}

// prepare takes over what the store returned when it stored the run.
func (e *executor) prepare(tools tools, started chat.StartedRun) {
	s := e.s
	e.session, e.titleSet, e.tools = started.Session, started.TitleSet, tools
	e.tools.choice = tools.chosen(started.History)
	history := prompt.NewHistory(started.History, s.Limits.HistoryMessages, s.Limits.HistoryChars)
	e.steps = history.Steps()
	e.history = history.WithInstructions(s.SystemPrompt, e.locale)
	if e.model = chat.RequestedModel(started.History, s.offeredModels()); e.model != "" {
		e.run.Model = e.model
	}
	e.workflow = resumeWorkflow(started.History)
	if e.needsTitle = started.TitleCut && s.TitleModel != ""; e.needsTitle {
		e.titlePrompt = chat.LastUserText(started.History)
	}
}

// execute runs to the end of the run, whatever happens to the request that
// started it.
func (e *executor) execute() {
	defer e.s.runners.Done()
	defer e.cancel(nil)
	defer e.s.unregister(e.ActiveRun)
	limit := time.AfterFunc(e.s.Limits.RunTime, func() { e.Cancel(chat.FailureTimeLimit) })
	defer limit.Stop()
	answerErr := e.recoverPanics(e.makeAnswer)
	err := e.recoverPanics(func() error {
		e.finish(answerErr)
		return nil
	})
	if err != nil {
		e.failAfterPanic(err)
	}
}

// makeAnswer asks the model until it answers without calling a tool of the
// server's.
func (e *executor) makeAnswer() error {
	e.ctx = e.s.Observer.RunStarted(e.ctx, e.run)
	e.observed = true
	for ; e.steps < maxSteps-1; e.steps++ {
		calls, details, err := e.step()
		if err != nil {
			return err
		}
		if len(calls) == 0 {
			return e.validateAnswer()
		}
		waits, err := e.callTools(calls, details)
		if err != nil || waits {
			return err
		}
	}
	return e.lastStep()
}

// lastStep asks for an answer from the results so far. Calls that the model
// makes nevertheless are not made.
func (e *executor) lastStep() error {
	e.tools.choice, e.tools.closed = "", true
	calls, _, err := e.step()
	if err != nil {
		return err
	}
	if len(calls) > 0 {
		return cancelled{code: chat.FailureTooManySteps}
	}
	return e.validateAnswer()
}

// step asks the model once and publishes its answer as it comes. It returns the
// tool calls of the answer with the reasoning details that belong to them.
func (e *executor) step() ([]chat.ToolCall, json.RawMessage, error) {
	var calls toolCallAssembler
	if err := e.receive(&calls); err != nil {
		return nil, nil, err
	}
	e.endThought()
	e.earlierUsage = e.run.Usage
	if len(e.tools.offered) == 0 {
		return nil, nil, nil
	}
	if calls.any() && incompleteReason(e.run.FinishReason) != "" {
		return nil, nil, cancelled{code: chat.FailureAnswerTooLong} // The calls may be incomplete.
	}
	return calls.complete(), e.s.joinDetails(calls.details), nil
}

// receive asks the model, publishes its answer as it comes, and adds its tool
// calls to calls. A live run waits here, so what would make this stack frame larger
// is in the functions it calls.
func (e *executor) receive(calls *toolCallAssembler) error {
	stream, err := e.ask()
	if err != nil {
		return err
	}
	defer stream.Close() //nolint:errcheck // nothing is lost with it
	e.open(nil)
	e.tools.choice, e.run.FinishReason = "", ""
	if len(e.tools.offered) == 0 {
		e.history = nil // There is no next step; an answer may take minutes.
	}
	var chunk chat.Chunk
	for {
		err := stream.Next(&chunk)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := e.handleChunk(&chunk, calls); err != nil {
			return err
		}
	}
}

// ask sends the history to the model. Attached files are read for each step and
// held in memory until upstream begins to answer.
func (e *executor) ask() (chat.ModelStream, error) {
	messages, release, err := e.s.files.Messages(e.ctx, e.history, e.s.resultChars())
	if err != nil {
		return nil, err
	}
	defer release()
	return e.s.Model.Stream(e.ctx, chat.ModelRequest{
		Model: e.model, Messages: messages, User: e.s.Pseudonym(e.userID),
		Tools: e.tools.offered, ToolChoice: e.tools.choice, NoCalls: e.tools.closed,
	})
}

// handleChunk publishes a chunk's reasoning and text, and keeps the rest for
// the end of the step.
func (e *executor) handleChunk(chunk *chat.Chunk, calls *toolCallAssembler) error {
	e.recordMetadata(chunk)
	if chunk.Reasoning != "" {
		e.appendReasoning(chunk.Reasoning)
	}
	if chunk.Text != "" {
		e.appendText(chunk.Text)
	}
	for _, source := range chunk.Annotations {
		source.URL, source.Title = replaceNUL(source.URL), replaceNUL(source.Title)
		e.sources = append(e.sources, source)
	}
	if e.size += sizeOfChunk(chunk); e.size > chat.MaxAnswerBytes {
		return cancelled{code: chat.FailureAnswerTooLong}
	}
	if len(e.tools.offered) == 0 {
		return nil // A call of a tool that was not offered is ignored.
	}
	return calls.add(chunk)
}

// recordMetadata keeps what a chunk says of the answer as a whole.
func (e *executor) recordMetadata(chunk *chat.Chunk) {
	if chunk.Model != "" {
		e.run.Model = chunk.Model
	}
	if chunk.UpstreamID != "" {
		e.run.UpstreamID = chunk.UpstreamID
	}
	if chunk.Usage != nil {
		e.run.Usage = e.earlierUsage.Add(*chunk.Usage)
	}
	if chunk.FinishReason != "" {
		e.run.FinishReason = chunk.FinishReason
	}
}

// sizeOfChunk counts a chunk towards chat.MaxAnswerBytes.
func sizeOfChunk(chunk *chat.Chunk) int {
	size := 0
	add := func(bytes int) {
		if bytes > 0 {
			size += bytes + eventBytes
		}
	}
	add(len(chunk.Text))
	add(len(chunk.Reasoning))
	add(len(chunk.ReasoningDetails))
	for _, source := range chunk.Annotations {
		size += len(source.URL) + len(source.Title) + eventBytes
	}
	for _, part := range chunk.Calls {
		size += len(part.Arguments) + eventBytes
	}
	return size
}
