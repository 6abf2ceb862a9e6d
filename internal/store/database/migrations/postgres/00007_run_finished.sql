-- A write that is repeated, since its answer was lost, must not count twice.

-- +goose Up
-- finished says that the owner of the run has stored its end, and title_finished
-- that a title was made of the run, whose usage is added to the run's.
ALTER TABLE runs ADD COLUMN finished boolean NOT NULL DEFAULT false;
ALTER TABLE runs ADD COLUMN title_finished boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE runs DROP COLUMN title_finished;
ALTER TABLE runs DROP COLUMN finished;
