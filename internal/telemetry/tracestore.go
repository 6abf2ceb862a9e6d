package telemetry

import (
	"context"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Store wraps a store with a span for each operation of a user. The service's
// maintenance has no spans. The spans have the name of the database, such as
// "postgresql".
func (t *Tracing) Store(store chat.Store, database string) chat.Store {
	if t == nil {
		return store
	}
	return tracedStore{store, t.tracer, database}
}

type tracedStore struct {
	chat.Store

	tracer   trace.Tracer
	database string
}

// begin starts the span of an operation and returns a function that ends it. Errors
// such as "not found" are not failures of the store.
func (s tracedStore) begin(ctx context.Context, operation string) (context.Context, func(error)) {
	attributes := trace.WithAttributes(
		attribute.String("db.system.name", s.database), attribute.String("db.operation.name", operation))
	//nolint:spancheck // the function that is returned ends it
	ctx, span := s.tracer.Start(ctx, "store "+operation, trace.WithSpanKind(trace.SpanKindClient), attributes)
	return ctx, func(err error) { //nolint:spancheck // as above
		if code := chat.CodeOf(err); err != nil && (code == "" || code == chat.CodeServiceUnavailable) {
			fail(span, err)
		}
		span.End()
	}
}

func (s tracedStore) CreateSession(ctx context.Context, session chat.Session, maxPerUser int) error {
	ctx, end := s.begin(ctx, "CreateSession")
	err := s.Store.CreateSession(ctx, session, maxPerUser)
	end(err)
	return err
}

func (s tracedStore) StartThread(
	ctx context.Context, session chat.Session, maxPerUser int, start chat.NewRun,
) (chat.StartedRun, error) {
	ctx, end := s.begin(ctx, "StartThread")
	started, err := s.Store.StartThread(ctx, session, maxPerUser, start)
	end(err)
	return started, err
}

func (s tracedStore) Session(ctx context.Context, userID string, id uuid.UUID) (chat.Session, error) {
	ctx, end := s.begin(ctx, "Session")
	session, err := s.Store.Session(ctx, userID, id)
	end(err)
	return session, err
}

func (s tracedStore) SessionWithItems(ctx context.Context, userID string, id uuid.UUID) (chat.Session, []chat.Item, error) {
	ctx, end := s.begin(ctx, "SessionWithItems")
	session, items, err := s.Store.SessionWithItems(ctx, userID, id)
	end(err)
	return session, items, err
}

func (s tracedStore) ListSessions(ctx context.Context, userID string, q chat.SessionQuery) (chat.SessionPage, error) {
	ctx, end := s.begin(ctx, "ListSessions")
	page, err := s.Store.ListSessions(ctx, userID, q)
	end(err)
	return page, err
}

func (s tracedStore) DeleteSession(ctx context.Context, userID string, id uuid.UUID) error {
	ctx, end := s.begin(ctx, "DeleteSession")
	err := s.Store.DeleteSession(ctx, userID, id)
	end(err)
	return err
}

func (s tracedStore) StartRun(ctx context.Context, start chat.NewRun, historyLimit int) (chat.StartedRun, error) {
	ctx, end := s.begin(ctx, "StartRun")
	started, err := s.Store.StartRun(ctx, start, historyLimit)
	end(err)
	return started, err
}

func (s tracedStore) RetryRun(ctx context.Context, retry chat.Retry, historyLimit int) (chat.StartedRun, error) {
	ctx, end := s.begin(ctx, "RetryRun")
	started, err := s.Store.RetryRun(ctx, retry, historyLimit)
	end(err)
	return started, err
}

func (s tracedStore) ResumeRun(ctx context.Context, resume chat.Resume, historyLimit int) (chat.StartedRun, error) {
	ctx, end := s.begin(ctx, "ResumeRun")
	started, err := s.Store.ResumeRun(ctx, resume, historyLimit)
	end(err)
	return started, err
}

func (s tracedStore) Run(ctx context.Context, ref chat.RunRef) (chat.Run, error) {
	ctx, end := s.begin(ctx, "Run")
	run, err := s.Store.Run(ctx, ref)
	end(err)
	return run, err
}

func (s tracedStore) ActiveRun(ctx context.Context, userID string, session uuid.UUID) (*chat.Run, error) {
	ctx, end := s.begin(ctx, "ActiveRun")
	run, err := s.Store.ActiveRun(ctx, userID, session)
	end(err)
	return run, err
}

func (s tracedStore) ListRuns(
	ctx context.Context, userID string, session uuid.UUID, q chat.RunQuery,
) (chat.RunPage, error) {
	ctx, end := s.begin(ctx, "ListRuns")
	page, err := s.Store.ListRuns(ctx, userID, session, q)
	end(err)
	return page, err
}

func (s tracedStore) CancelRun(ctx context.Context, ref chat.RunRef, at time.Time) (chat.Run, error) {
	ctx, end := s.begin(ctx, "CancelRun")
	run, err := s.Store.CancelRun(ctx, ref, at)
	end(err)
	return run, err
}

func (s tracedStore) AddItems(ctx context.Context, run chat.Run, items []chat.Item) error {
	ctx, end := s.begin(ctx, "AddItems")
	err := s.Store.AddItems(ctx, run, items)
	end(err)
	return err
}

func (s tracedStore) SaveItem(ctx context.Context, item chat.Item) error {
	ctx, end := s.begin(ctx, "SaveItem")
	err := s.Store.SaveItem(ctx, item)
	end(err)
	return err
}

func (s tracedStore) ListItems(
	ctx context.Context, userID string, session uuid.UUID, q chat.ItemQuery,
) (chat.ItemPage, error) {
	ctx, end := s.begin(ctx, "ListItems")
	page, err := s.Store.ListItems(ctx, userID, session, q)
	end(err)
	return page, err
}

func (s tracedStore) SetTitle(ctx context.Context, userID string, id uuid.UUID, title string) (chat.Session, error) {
	ctx, end := s.begin(ctx, "SetTitle")
	session, err := s.Store.SetTitle(ctx, userID, id, title)
	end(err)
	return session, err
}

func (s tracedStore) ClaimTitle(ctx context.Context, session, run uuid.UUID) (bool, error) {
	ctx, end := s.begin(ctx, "ClaimTitle")
	claimed, err := s.Store.ClaimTitle(ctx, session, run)
	end(err)
	return claimed, err
}

func (s tracedStore) FinishTitle(ctx context.Context, made chat.MadeTitle) error {
	ctx, end := s.begin(ctx, "FinishTitle")
	err := s.Store.FinishTitle(ctx, made)
	end(err)
	return err
}

func (s tracedStore) SaveFeedback(ctx context.Context, feedback chat.Feedback) error {
	ctx, end := s.begin(ctx, "SaveFeedback")
	err := s.Store.SaveFeedback(ctx, feedback)
	end(err)
	return err
}

func (s tracedStore) FinishRun(ctx context.Context, run chat.Run, items []chat.Item) (chat.Session, error) {
	ctx, end := s.begin(ctx, "FinishRun")
	session, err := s.Store.FinishRun(ctx, run, items)
	end(err)
	return session, err
}

func (s tracedStore) CreateAttachment(ctx context.Context, a chat.Attachment, limits chat.AttachmentLimits) error {
	ctx, end := s.begin(ctx, "CreateAttachment")
	err := s.Store.CreateAttachment(ctx, a, limits)
	end(err)
	return err
}

func (s tracedStore) Attachment(ctx context.Context, id uuid.UUID) (chat.Attachment, error) {
	ctx, end := s.begin(ctx, "Attachment")
	a, err := s.Store.Attachment(ctx, id)
	end(err)
	return a, err
}

func (s tracedStore) ClaimUpload(ctx context.Context, id uuid.UUID, lease time.Duration) (time.Time, error) {
	ctx, end := s.begin(ctx, "ClaimUpload")
	until, err := s.Store.ClaimUpload(ctx, id, lease)
	end(err)
	return until, err
}

func (s tracedStore) RenewUpload(ctx context.Context, id uuid.UUID, until time.Time, lease time.Duration) (time.Time, error) {
	ctx, end := s.begin(ctx, "RenewUpload")
	newUntil, err := s.Store.RenewUpload(ctx, id, until, lease)
	end(err)
	return newUntil, err
}

func (s tracedStore) EndUpload(ctx context.Context, id uuid.UUID, until time.Time, digest string) error {
	ctx, end := s.begin(ctx, "EndUpload")
	err := s.Store.EndUpload(ctx, id, until, digest)
	end(err)
	return err
}

func (s tracedStore) DeleteAttachment(ctx context.Context, userID string, id uuid.UUID) error {
	ctx, end := s.begin(ctx, "DeleteAttachment")
	err := s.Store.DeleteAttachment(ctx, userID, id)
	end(err)
	return err
}
