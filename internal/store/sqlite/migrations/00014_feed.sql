-- +goose Up

-- What the feed tells beside messages, in commit order; see feed.go. The newest row is
-- never removed, so that no key is given twice.
CREATE TABLE events (
  event_key    INTEGER PRIMARY KEY,
  message_key  INTEGER NOT NULL, -- the newest message at that moment: the event comes after it
  kind         INTEGER NOT NULL, -- store.EntryKind
  at           INTEGER NOT NULL, -- milliseconds, by the store's clock
  app_id       TEXT    NOT NULL,
  conv_id      BLOB, -- NULL: not about a conversation
  change_seq   INTEGER NOT NULL DEFAULT 0,
  client_id    TEXT, -- NULL: not about one client
  clients      TEXT -- JSON list of client ids; NULL: none
) STRICT;

-- No message got a key above it before Purge removed messages: keys are never given twice.
ALTER TABLE history ADD COLUMN message_key INTEGER NOT NULL DEFAULT 0;

-- Who does a piece of work, and how far it has come; see leases.go.
CREATE TABLE leases (
  name         TEXT    PRIMARY KEY,
  fence        INTEGER NOT NULL,
  message_key  INTEGER, -- of the cursor; NULL: none was kept
  event_key    INTEGER
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE leases;
ALTER TABLE history DROP COLUMN message_key;
DROP TABLE events;
