-- +goose Up

-- 1: the member wants to come back to the conversation, though it may have read all.
ALTER TABLE members ADD COLUMN unread_mark INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE members DROP COLUMN unread_mark;
