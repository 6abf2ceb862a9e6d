-- Times are microseconds since 1970 in UTC: the same number in both databases.

-- +goose Up
CREATE TABLE users (
    id            text    PRIMARY KEY,
    session_count integer NOT NULL CHECK (session_count >= 0)
);

CREATE TABLE sessions (
    id             uuid    PRIMARY KEY,
    user_id        text    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title          text,
    -- The position of the item that gave the title; NULL when none did.
    title_position bigint,
    message_count  integer NOT NULL DEFAULT 0,
    -- The position of the newest item.
    item_seq       bigint  NOT NULL DEFAULT 0,
    created_at     bigint  NOT NULL,
    updated_at     bigint  NOT NULL
);

CREATE INDEX sessions_by_user ON sessions (user_id, updated_at DESC, id DESC);

-- run_id refers to no row: a run and its items go with their session, and a
-- reference would cost an index of its own.
CREATE TABLE items (
    session_id uuid   NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    position   bigint NOT NULL,
    id         uuid   NOT NULL UNIQUE,
    run_id     uuid   NOT NULL,
    type       text   NOT NULL,
    content    json   NOT NULL,
    tool_calls json,
    created_at bigint NOT NULL,
    PRIMARY KEY (session_id, position)
);

CREATE TABLE runs (
    id               uuid             PRIMARY KEY,
    session_id       uuid             NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    status           text             NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'cancelled')),
    model            text             NOT NULL,
    upstream_id      text             NOT NULL,
    started_at       bigint           NOT NULL,
    first_token_at   bigint,
    ended_at         bigint,
    input_tokens     bigint           NOT NULL,
    output_tokens    bigint           NOT NULL,
    cached_tokens    bigint           NOT NULL,
    reasoning_tokens bigint           NOT NULL,
    cost             double precision,
    failure_code     text             NOT NULL,
    failure_reason   text             NOT NULL,
    owner            uuid             NOT NULL,
    lease_until      bigint           NOT NULL
);

CREATE INDEX runs_by_session ON runs (session_id, started_at);

-- One run at a time in a session. It is also how the live runs are found: it
-- holds no others.
CREATE UNIQUE INDEX runs_running ON runs (session_id) WHERE status = 'running';

-- +goose Down
DROP TABLE runs;
DROP TABLE items;
DROP TABLE sessions;
DROP TABLE users;
