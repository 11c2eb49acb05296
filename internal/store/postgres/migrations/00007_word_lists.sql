-- +goose Up

-- The words that an app does not allow.
CREATE TABLE word_lists (
  app_key   bigint PRIMARY KEY,
  revision  bigint NOT NULL, -- greater with each change
  list      text   NOT NULL  -- JSON
);
