-- What the ChatKit protocol's items have beside a text, and what was answered
-- before a message was answered anew.

-- +goose Up
ALTER TABLE items ADD COLUMN detail TEXT;
ALTER TABLE items ADD COLUMN superseded_at INTEGER;

CREATE TABLE feedback (
    item_id    TEXT    NOT NULL PRIMARY KEY REFERENCES items (id) ON DELETE CASCADE,
    kind       TEXT    NOT NULL CHECK (kind IN ('positive', 'negative')),
    created_at INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE feedback;
DELETE FROM items WHERE superseded_at IS NOT NULL OR type NOT IN ('user_message', 'assistant_message');
UPDATE sessions SET message_count = (SELECT count(*) FROM items WHERE items.session_id = sessions.id);
ALTER TABLE items DROP COLUMN superseded_at;
ALTER TABLE items DROP COLUMN detail;
