-- +goose Up

-- Messages that say nothing any more, for what is unread of a member.
CREATE INDEX messages_blank ON messages (conv_key, seq) WHERE status <> 1;

-- +goose Down
DROP INDEX messages_blank;
