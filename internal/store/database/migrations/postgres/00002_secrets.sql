-- Random values that all replicas share, each made once by the server that
-- first needs it.

-- +goose Up
CREATE TABLE secrets (
    name  text PRIMARY KEY,
    value text NOT NULL
);

-- +goose Down
DROP TABLE secrets;
