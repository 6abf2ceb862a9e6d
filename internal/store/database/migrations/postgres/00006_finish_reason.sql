-- Why the model stopped: see the Finish constants of internal/chat. It is empty
-- where upstream did not say.

-- +goose Up
ALTER TABLE runs ADD COLUMN finish_reason TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE runs DROP COLUMN finish_reason;
