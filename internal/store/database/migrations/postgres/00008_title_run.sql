-- A claim of a title that is repeated, since its answer was lost, must succeed
-- again.

-- +goose Up
-- title_run_id is the run from which a title is being made.
ALTER TABLE sessions ADD COLUMN title_run_id uuid;

-- +goose Down
ALTER TABLE sessions DROP COLUMN title_run_id;
