-- What the ChatKit protocol's items have beside a text, and what was answered
-- before a message was answered anew.

-- +goose Up
ALTER TABLE items ADD COLUMN detail json;
ALTER TABLE items ADD COLUMN superseded_at bigint;

CREATE TABLE feedback (
    item_id    uuid   PRIMARY KEY REFERENCES items (id) ON DELETE CASCADE,
    kind       text   NOT NULL CHECK (kind IN ('positive', 'negative')),
    created_at bigint NOT NULL
);

-- +goose Down
DROP TABLE feedback;
DELETE FROM items WHERE superseded_at IS NOT NULL OR type NOT IN ('user_message', 'assistant_message');
UPDATE sessions SET message_count = (SELECT count(*) FROM items WHERE items.session_id = sessions.id);
ALTER TABLE items DROP COLUMN superseded_at;
ALTER TABLE items DROP COLUMN detail;
