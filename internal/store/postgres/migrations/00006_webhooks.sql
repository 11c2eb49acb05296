-- +goose Up

-- Endpoints of apps.
CREATE TABLE webhooks (
  id        text    COLLATE "C" PRIMARY KEY,
  app_id    text    COLLATE "C" NOT NULL,
  settings  text    NOT NULL, -- JSON
  secrets   text    NOT NULL, -- JSON
  enabled   boolean NOT NULL,
  reason    text    NOT NULL,
  created   bigint  NOT NULL,
  rev       bigint  NOT NULL,
  replays   bigint  NOT NULL DEFAULT 0,
  failing   bigint  NOT NULL DEFAULT 0,
  place     text    NOT NULL DEFAULT '' -- in the feed; without the epoch
);
CREATE INDEX webhooks_by_app ON webhooks (app_id, created);

-- Calls that failed: references to entries of the feed, never their texts.
CREATE TABLE webhook_failures (
  webhook_id   text    COLLATE "C" NOT NULL,
  seq          bigint  NOT NULL,
  delivery_id  text    NOT NULL,
  entries      text    NOT NULL, -- JSON
  attempts     bigint  NOT NULL,
  first        bigint  NOT NULL,
  due          bigint  NOT NULL,
  dead         bigint  NOT NULL, -- when it was given up; 0: it was not
  status       bigint  NOT NULL,
  error        text    NOT NULL,
  PRIMARY KEY (webhook_id, seq)
);
CREATE INDEX webhook_failures_dead ON webhook_failures (webhook_id, seq) WHERE dead > 0;
CREATE INDEX webhook_failures_by_age ON webhook_failures (first);

-- The log of attempts.
CREATE TABLE webhook_attempts (
  webhook_id   text    COLLATE "C" NOT NULL,
  seq          bigint  NOT NULL,
  at           bigint  NOT NULL,
  delivery_id  text    NOT NULL,
  attempt      bigint  NOT NULL,
  url          text    NOT NULL,
  events       text    NOT NULL, -- JSON
  bytes        bigint  NOT NULL,
  status       bigint  NOT NULL,
  millis       bigint  NOT NULL,
  answer       bytea   NOT NULL,
  error        text    NOT NULL,
  PRIMARY KEY (webhook_id, seq)
);
CREATE INDEX webhook_attempts_by_age ON webhook_attempts (at);
