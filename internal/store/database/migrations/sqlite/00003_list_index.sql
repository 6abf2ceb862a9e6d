-- A list reads the index alone: a user's sessions lie side by side in it,
-- however many sessions others have. Its columns change with updated_at, which
-- was in the index before.

-- +goose Up
DROP INDEX sessions_by_user;
CREATE INDEX sessions_by_user ON sessions (user_id, updated_at DESC, id DESC, title, message_count, created_at);

-- +goose Down
DROP INDEX sessions_by_user;
CREATE INDEX sessions_by_user ON sessions (user_id, updated_at DESC, id DESC);
