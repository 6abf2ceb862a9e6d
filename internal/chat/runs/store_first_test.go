package runs_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
)

// watched is a model that calls a client tool, and counts its requests from the
// moment it is watched.
type watched struct {
	watching atomic.Bool
	asked    atomic.Int32
}

func (m *watched) Stream(ctx context.Context, _ chat.ModelRequest) (chat.ModelStream, error) {
	if m.watching.Load() {
		m.asked.Add(1)
	}
	return (&steps{answers: [][]chat.Chunk{calls("pick")}}).Stream(ctx, chat.ModelRequest{})
}

// asking is a message that asks for a model.
func asking(session uuid.UUID) runs.RunRequest {
	request := hello(session)
	request.Inference.Model = "the/other"
	return request
}

// starts are the four ways to start a run, in a thread that ends with a pending
// call of a client tool. The item is the thread's user message.
var starts = map[string]func(s *runs.Service, ctx context.Context, session, item uuid.UUID) (*runs.ActiveRun, error){
	"StartRun": func(s *runs.Service, ctx context.Context, session, _ uuid.UUID) (*runs.ActiveRun, error) {
		return s.StartRun(ctx, asking(session))
	},
	"StartThread": func(s *runs.Service, ctx context.Context, _, _ uuid.UUID) (*runs.ActiveRun, error) {
		run, _, err := s.StartThread(ctx, asking(uuid.Nil))
		return run, err
	},
	"Retry": func(s *runs.Service, ctx context.Context, session, item uuid.UUID) (*runs.ActiveRun, error) {
		return s.Retry(ctx, runs.RetryRequest{UserID: alice, SessionID: session, ItemID: item})
	},
	"Resume": func(s *runs.Service, ctx context.Context, session, _ uuid.UUID) (*runs.ActiveRun, error) {
		return s.Resume(ctx, runs.ResumeRequest{UserID: alice, SessionID: session, Output: []byte(`"green"`)})
	},
}

// startFixture is a service whose thread is ready for each way to start a run.
type startFixture struct {
	service *runs.Service
	db      *storeHooks
	path    string
	model   *watched
	start   func() (*runs.ActiveRun, error)
}

// eachStart calls test for each way to start a run.
func eachStart(t *testing.T, test func(t *testing.T, f *startFixture)) {
	t.Helper()
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "chat.db")
			db := &storeHooks{Store: openStoreAt(t, path)}
			model := &watched{}
			service, _ := startOn(t, runs.Options{Store: db, Log: newLog(), Model: model, ModelName: "the/default", Models: []string{"the/other"}})
			session, err := service.CreateSession(t.Context(), alice)
			if err != nil {
				t.Fatal(err)
			}
			request := asking(session.ID)
			request.ClientTools = []chat.Tool{{Name: "pick"}}
			run, err := service.StartRun(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			message := follow(t, run, nil)[0].(chat.ItemDone).Item
			model.watching.Store(true)
			test(t, &startFixture{service: service, db: db, path: path, model: model, start: func() (*runs.ActiveRun, error) {
				return start(service, t.Context(), session.ID, message.ID)
			}})
		})
	}
}

// The model is asked only after the run is stored.
func TestModelIsAskedAfterTheRunIsStored(t *testing.T) {
	t.Parallel()
	eachStart(t, func(t *testing.T, f *startFixture) {
		t.Helper()
		f.db.start = afterStart(func() error {
			if asked := f.model.asked.Load(); asked != 0 {
				t.Errorf("the model was asked %d times before the run was stored", asked)
			}
			return nil
		})
		run, err := f.start()
		if err != nil {
			t.Fatal(err)
		}
		follow(t, run, nil)
		if asked := f.model.asked.Load(); asked != 1 {
			t.Errorf("the model was asked %d times, want 1", asked)
		}
	})
}

// Nothing is sent upstream for a run that the store refuses, or fails to store.
func TestModelIsNotAskedAboutARunThatIsNotStored(t *testing.T) {
	t.Parallel()
	eachStart(t, func(t *testing.T, f *startFixture) {
		t.Helper()
		refuseRuns(t, f.path)
		if run, err := f.start(); run != nil || err == nil {
			t.Fatalf("the start returned %v and %v", run, err)
		}
		now, cancel := context.WithCancel(t.Context())
		cancel()
		_ = f.service.Shutdown(now) // What the start left in the background is over then.
		if asked := f.model.asked.Load(); asked != 0 {
			t.Errorf("the model was asked %d times", asked)
		}
	})
}

// runningModel reads the model of the one run that is not over.
func runningModel(t *testing.T, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var model string
	row := db.QueryRowContext(t.Context(), "SELECT model FROM runs WHERE status = 'running'")
	if err := row.Scan(&model); err != nil {
		t.Error(err)
	}
	return model
}

// refuseRuns makes an SQLite database fail where a run is stored.
func refuseRuns(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const trigger = "CREATE TRIGGER refuse BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'no more'); END"
	if _, err := db.ExecContext(t.Context(), trigger); err != nil {
		t.Fatal(err)
	}
}
