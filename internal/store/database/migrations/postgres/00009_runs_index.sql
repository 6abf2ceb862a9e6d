-- The runs of a session are listed newest first, ties by id.

-- +goose Up
DROP INDEX runs_by_session;
CREATE INDEX runs_by_session ON runs (session_id, started_at DESC, id DESC);

-- +goose Down
DROP INDEX runs_by_session;
CREATE INDEX runs_by_session ON runs (session_id, started_at);
