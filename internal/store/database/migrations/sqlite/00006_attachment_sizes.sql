-- What a user's files take together is read from this index alone. It holds
-- those that are not garbage, with the columns that tell it: SQLite looks at them
-- in the table otherwise.

-- +goose Up
CREATE INDEX attachments_by_user ON attachments (user_id, size, state, session_id, item_id)
    WHERE state <> 'deleted' AND (session_id IS NOT NULL OR item_id IS NULL);

-- +goose Down
DROP INDEX attachments_by_user;
