-- Times are microseconds since 1970 in UTC: the same number in both databases.
-- UUIDs are lower-case text, which sorts as the bytes do.

-- +goose Up
CREATE TABLE users (
    id            TEXT    NOT NULL PRIMARY KEY,
    session_count INTEGER NOT NULL CHECK (session_count >= 0)
) STRICT;

CREATE TABLE sessions (
    id             TEXT    NOT NULL PRIMARY KEY,
    user_id        TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title          TEXT,
    -- The position of the item that gave the title; NULL when none did.
    title_position INTEGER,
    message_count  INTEGER NOT NULL DEFAULT 0,
    -- The position of the newest item.
    item_seq       INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_by_user ON sessions (user_id, updated_at DESC, id DESC);

-- run_id refers to no row: a run and its items go with their session, and a
-- reference would cost an index of its own.
CREATE TABLE items (
    session_id TEXT    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    id         TEXT    NOT NULL UNIQUE,
    run_id     TEXT    NOT NULL,
    type       TEXT    NOT NULL,
    content    TEXT    NOT NULL,
    tool_calls TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, position)
) STRICT;

CREATE TABLE runs (
    id               TEXT    NOT NULL PRIMARY KEY,
    session_id       TEXT    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    status           TEXT    NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'cancelled')),
    model            TEXT    NOT NULL,
    upstream_id      TEXT    NOT NULL,
    started_at       INTEGER NOT NULL,
    first_token_at   INTEGER,
    ended_at         INTEGER,
    input_tokens     INTEGER NOT NULL,
    output_tokens    INTEGER NOT NULL,
    cached_tokens    INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    cost             REAL,
    failure_code     TEXT    NOT NULL,
    failure_reason   TEXT    NOT NULL,
    owner            TEXT    NOT NULL,
    lease_until      INTEGER NOT NULL
) STRICT;

CREATE INDEX runs_by_session ON runs (session_id, started_at);

-- One run at a time in a session. It is also how the live runs are found: it
-- holds no others.
CREATE UNIQUE INDEX runs_running ON runs (session_id) WHERE status = 'running';

-- +goose Down
DROP TABLE runs;
DROP TABLE items;
DROP TABLE sessions;
DROP TABLE users;
