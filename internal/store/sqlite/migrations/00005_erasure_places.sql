-- +goose Up

-- An erasure looks through the conversations of its app, in the order of their ids, and
-- not at every app's messages: where it is, instead of a message_key. One under way
-- begins anew; what it has emptied already costs it a look.
ALTER TABLE erasures ADD COLUMN conv_id BLOB NOT NULL DEFAULT x'';
ALTER TABLE erasures ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE erasures DROP COLUMN done;

-- +goose Down
ALTER TABLE erasures ADD COLUMN done INTEGER NOT NULL DEFAULT 0;
ALTER TABLE erasures DROP COLUMN conv_id;
ALTER TABLE erasures DROP COLUMN seq;
