-- +goose Up

-- Endpoints of apps.
CREATE TABLE webhooks (
  id        TEXT    PRIMARY KEY,
  app_id    TEXT    NOT NULL,
  settings  TEXT    NOT NULL, -- JSON
  secrets   TEXT    NOT NULL, -- JSON
  enabled   INTEGER NOT NULL,
  reason    TEXT    NOT NULL,
  created   INTEGER NOT NULL,
  rev       INTEGER NOT NULL,
  replays   INTEGER NOT NULL DEFAULT 0,
  failing   INTEGER NOT NULL DEFAULT 0,
  place     TEXT    NOT NULL DEFAULT '' -- in the feed; without the epoch
) STRICT, WITHOUT ROWID;
CREATE INDEX webhooks_by_app ON webhooks (app_id, created);

-- Calls that failed: references to entries of the feed, never their texts.
CREATE TABLE webhook_failures (
  webhook_id   TEXT    NOT NULL,
  seq          INTEGER NOT NULL,
  delivery_id  TEXT    NOT NULL,
  entries      TEXT    NOT NULL, -- JSON
  attempts     INTEGER NOT NULL,
  first        INTEGER NOT NULL,
  due          INTEGER NOT NULL,
  dead         INTEGER NOT NULL, -- when it was given up; 0: it was not
  status       INTEGER NOT NULL,
  error        TEXT    NOT NULL,
  PRIMARY KEY (webhook_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_failures_dead ON webhook_failures (webhook_id, seq) WHERE dead > 0;
CREATE INDEX webhook_failures_by_age ON webhook_failures (first);

-- The log of attempts.
CREATE TABLE webhook_attempts (
  webhook_id   TEXT    NOT NULL,
  seq          INTEGER NOT NULL,
  at           INTEGER NOT NULL,
  delivery_id  TEXT    NOT NULL,
  attempt      INTEGER NOT NULL,
  url          TEXT    NOT NULL,
  events       TEXT    NOT NULL, -- JSON
  bytes        INTEGER NOT NULL,
  status       INTEGER NOT NULL,
  millis       INTEGER NOT NULL,
  answer       BLOB    NOT NULL,
  error        TEXT    NOT NULL,
  PRIMARY KEY (webhook_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_attempts_by_age ON webhook_attempts (at);

-- +goose Down
DROP TABLE webhook_attempts;
DROP TABLE webhook_failures;
DROP TABLE webhooks;
