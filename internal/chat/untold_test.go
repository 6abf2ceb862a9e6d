package chat_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// upstream is a model that answers until it is watched. Then its answer begins
// or does not, and it tells of the end of the request.
type upstream struct {
	watched, begins bool

	asked, cancelled chan struct{}
	// read counts the pieces that were read of an answer.
	read atomic.Int32
}

func (u *upstream) Stream(ctx context.Context, req chat.ModelRequest) (chat.ModelStream, error) {
	if !u.watched {
		return says(end, "Yes.").Stream(ctx, req)
	}
	context.AfterFunc(ctx, func() { u.cancelled <- struct{}{} })
	u.asked <- struct{}{}
	if u.begins {
		return scriptedStream{ctx, func(context.Context) (chat.Chunk, error) {
			u.read.Add(1)
			return chat.Chunk{Text: "untold"}, nil
		}}, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// overheard is a store that goes on to store a run when asked is received, where
// it is not nil, and keeps the error of what it could not store.
type overheard struct {
	chat.Store

	asked <-chan struct{}
	err   error
}

func (o *overheard) listen(start *chat.NewRun) {
	if told := start.Found; o.asked != nil {
		start.Found = func(history []chat.Item) {
			told(history)
			<-o.asked
		}
	}
}

func (o *overheard) StartRun(ctx context.Context, start chat.NewRun, limit int) (started chat.StartedRun, err error) {
	o.listen(&start)
	started, o.err = o.Store.StartRun(ctx, start, limit)
	return started, o.err
}

func (o *overheard) StartThread(ctx context.Context, s chat.Session, most int, start chat.NewRun) (started chat.StartedRun, err error) {
	o.listen(&start)
	started, o.err = o.Store.StartThread(ctx, s, most, start)
	return started, o.err
}

// refuseItems has an SQLite database fail where a message is stored.
func refuseItems(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const trigger = "CREATE TRIGGER refuse BEFORE INSERT ON items BEGIN SELECT RAISE(ABORT, 'no more'); END"
	if _, err := db.ExecContext(t.Context(), trigger); err != nil {
		t.Fatal(err)
	}
}

// A message that SQLite could not store was not sent: upstream's request ends,
// nothing is read of its answer, and whoever sent the message has the store's
// error and no run.
func TestMessageThatIsNotStoredIsNotSent(t *testing.T) {
	t.Parallel()
	starts := map[string]func(*chat.Service, context.Context, chat.RunRequest) (*chat.ActiveRun, error){
		"in a thread": (*chat.Service).StartRun,
		"in a new thread": func(s *chat.Service, ctx context.Context, req chat.RunRequest) (*chat.ActiveRun, error) {
			run, _, err := s.StartThread(ctx, req)
			return run, err
		},
	}
	for where, start := range starts {
		for when, begins := range map[string]bool{"before the answer": false, "during the answer": true} {
			t.Run(where+", "+when, func(t *testing.T) {
				t.Parallel()
				testUnstored(t, begins, start)
			})
		}
	}
}

func testUnstored(t *testing.T, begins bool, start func(*chat.Service, context.Context, chat.RunRequest) (*chat.ActiveRun, error)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chat.db")
	db := &overheard{Store: openStoreAt(t, path)}
	model, observer := &upstream{begins: begins, asked: make(chan struct{}, 9), cancelled: make(chan struct{}, 9)}, &counting{}
	service := chat.NewService(chat.Options{
		Store: db, Model: model, Observer: observer,
		Limits: chat.Limits{SessionsPerUser: 10, MessageChars: 500, HistoryMessages: 40, HistoryChars: 32000},
	})
	session, first := ask(t, service)
	follow(t, first, nil)
	refuseItems(t, path)
	model.watched, db.asked = true, model.asked
	run, err := start(service, t.Context(), hello(session.ID))
	if run != nil || err == nil || !errors.Is(err, db.err) {
		t.Fatalf("the start gives %v and %v, want the store's error: %v", run, err, db.err)
	}
	receive(t, model.cancelled, "the end of upstream's request")
	now, cancel := context.WithCancel(t.Context())
	cancel()
	_ = service.Shutdown(now) // Whatever was under way is over then.
	if read := model.read.Load(); read != 0 || len(model.asked) != 0 {
		t.Errorf("%d pieces of the answer were read, and %d more questions asked", read, len(model.asked))
	}
	if started, ended, dropped := observer.started.Load(), observer.ended.Load(), observer.dropped.Load(); started != 2 || ended != 1 || dropped != 1 {
		t.Errorf("the observer was told of %d runs, %d ends and %d dropped", started, ended, dropped)
	}
	wantHistory(t, service, session.ID, "user_message: hello", "assistant_message: Yes.")
	page, err := service.ListSessions(t.Context(), alice, chat.SessionQuery{Limit: 10})
	if err != nil || len(page.Sessions) != 1 {
		t.Errorf("there are %d sessions (%v), want the first alone", len(page.Sessions), err)
	}
}
