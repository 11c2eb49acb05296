-- +goose Up

-- Who may add a client to conversations (skein.AddBy), and which client added a member;
-- NULL: the backend, or the member itself.
ALTER TABLE clients ADD COLUMN add_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN adder TEXT;

CREATE INDEX members_by_adder ON members (app_key, client_id, adder) WHERE adder IS NOT NULL;

-- +goose Down
DROP INDEX members_by_adder;
ALTER TABLE members DROP COLUMN adder;
ALTER TABLE clients DROP COLUMN add_by;
