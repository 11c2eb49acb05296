-- +goose Up

-- The words that an app does not allow.
CREATE TABLE word_lists (
  app_key   INTEGER PRIMARY KEY,
  revision  INTEGER NOT NULL, -- greater with each change
  list      TEXT    NOT NULL  -- JSON
) STRICT;

-- +goose Down
DROP TABLE word_lists;
