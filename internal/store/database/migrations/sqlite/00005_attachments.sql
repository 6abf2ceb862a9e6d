-- Files of messages; their contents are elsewhere. A row without a session is
-- of a file that no message has, or whose session is gone: then it stays until
-- its content is deleted. item_id refers to no row, as run_id does not; it stays
-- when the item goes.

-- +goose Up
CREATE TABLE attachments (
    id           TEXT    NOT NULL PRIMARY KEY,
    user_id      TEXT    NOT NULL,
    session_id   TEXT    REFERENCES sessions (id) ON DELETE SET NULL,
    item_id      TEXT,
    name         TEXT    NOT NULL,
    mime_type    TEXT    NOT NULL,
    size         INTEGER NOT NULL CHECK (size > 0),
    state        TEXT    NOT NULL CHECK (state IN ('pending', 'stored', 'deleted')),
    -- SHA-256 of the content, in hex; empty until it is stored.
    digest       TEXT    NOT NULL,
    -- An upload has it until then; 0 when none does.
    upload_until INTEGER NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX attachments_by_session ON attachments (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX attachments_loose ON attachments (user_id, created_at) WHERE session_id IS NULL;

-- +goose Down
DROP TABLE attachments;
