package store_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
	"github.com/chatkit-rest/chatkit-rest/internal/eventlog"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database/databasetest"
)

// losesAnswers is a store that stores each write of a run but loses the answer
// to the first call of each method.
type losesAnswers struct {
	chat.Store

	mu   sync.Mutex
	lost map[string]bool
}

func (s *losesAnswers) answer(method string, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || s.lost[method] {
		return err
	}
	s.lost[method] = true
	return chat.ErrStoreUnavailable(errors.New("the connection broke after the commit"))
}

func (s *losesAnswers) AddItems(ctx context.Context, run chat.Run, items []chat.Item) error {
	return s.answer("AddItems", s.Store.AddItems(ctx, run, items))
}

func (s *losesAnswers) SaveItem(ctx context.Context, item chat.Item) error {
	return s.answer("SaveItem", s.Store.SaveItem(ctx, item))
}

func (s *losesAnswers) FinishRun(ctx context.Context, run chat.Run, items []chat.Item) (chat.Session, error) {
	session, err := s.Store.FinishRun(ctx, run, items)
	return session, s.answer("FinishRun", err)
}

func (s *losesAnswers) ClaimTitle(ctx context.Context, session, run uuid.UUID) (bool, error) {
	claimed, err := s.Store.ClaimTitle(ctx, session, run)
	if err := s.answer("ClaimTitle", err); err != nil {
		return false, err
	}
	return claimed, nil
}

func (s *losesAnswers) FinishTitle(ctx context.Context, made chat.MadeTitle) error {
	return s.answer("FinishTitle", s.Store.FinishTitle(ctx, made))
}

// scriptedModel answers each question with the next of its answers.
type scriptedModel struct {
	mu      sync.Mutex
	answers [][]chat.Chunk
}

func (m *scriptedModel) Stream(context.Context, chat.ModelRequest) (chat.ModelStream, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	answer := m.answers[0]
	m.answers = m.answers[1:]
	return &scriptedAnswer{answer}, nil
}

type scriptedAnswer struct{ chunks []chat.Chunk }

func (a *scriptedAnswer) Next(chunk *chat.Chunk) error {
	if len(a.chunks) == 0 {
		return io.EOF
	}
	*chunk = a.chunks[0]
	a.chunks = a.chunks[1:]
	return nil
}

func (*scriptedAnswer) Close() error { return nil }

// oneTool is a toolbox of one tool.
type oneTool struct{}

func (oneTool) Tools(context.Context) []chat.Tool { return []chat.Tool{{Name: "add"}} }

func (oneTool) Call(context.Context, chat.ToolUse) chat.ToolResult {
	return chat.ToolResult{Text: "added"}
}

// A write whose answer is lost is repeated, and nothing is stored or counted
// twice.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for _, d := range databasetest.Kinds() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			c := d.Config(t)
			db := &losesAnswers{Store: open(t, c), lost: map[string]bool{}}
			usage := chat.Usage{InputTokens: 10, OutputTokens: 5, CachedTokens: 2, ReasoningTokens: 1, Cost: new(0.5)}
			model := &scriptedModel{answers: [][]chat.Chunk{
				{{Calls: []chat.ToolCallDelta{{ID: "1", Name: "add", Arguments: "{}"}}}, {FinishReason: chat.FinishToolCalls, Usage: &usage}},
				{{Text: "An answer."}, {FinishReason: chat.FinishStop, Usage: &usage}},
				{{Text: "A made title"}, {FinishReason: chat.FinishStop, Usage: &usage}},
			}}
			service := runs.NewService(runs.Options{
				Store: db, Model: model, Log: eventlog.NewMemory(eventlog.Options{}), Tools: oneTool{}, TitleModel: "a/namer",
				Limits: runs.Limits{SessionsPerUser: 10, MessageChars: 500, HistoryMessages: 40, HistoryChars: 32000},
			})
			session := createSession(t, open(t, c), "alice")
			run, err := send(t, service, session.ID, "hello")
			if err != nil {
				t.Fatal(err)
			}
			if failure := waitUntilEnded(t, run); failure != nil {
				t.Errorf("the run failed: %+v", failure)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := service.Shutdown(ctx); err != nil { // It waits for the title.
				t.Fatal(err)
			}
			for _, method := range []string{"AddItems", "SaveItem", "FinishRun", "ClaimTitle", "FinishTitle"} {
				if !db.lost[method] {
					t.Errorf("%s was not called", method)
				}
			}
			stored, _ := (probe{databasetest.OpenSQL(t, c)}).Run(t, run.ID)
			want := chat.Usage{InputTokens: 30, OutputTokens: 15, CachedTokens: 6, ReasoningTokens: 3, Cost: new(1.5)}
			if stored.Status != chat.RunCompleted || !reflect.DeepEqual(stored.Usage, want) {
				t.Errorf("the run is %s with %+v, cost %v", stored.Status, stored.Usage, *stored.Usage.Cost)
			}
			session, items, err := db.SessionWithItems(t.Context(), "alice", session.ID)
			if err != nil || session.MessageCount != 3 || len(items) != 3 || session.Title != "A made title" {
				t.Errorf("the session is %+v with %d items, %v", session, len(items), err)
			}
		})
	}
}
