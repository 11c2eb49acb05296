-- +goose Up

-- What apps used, by day.
CREATE TABLE app_usage (
  app_key      bigint NOT NULL,
  day          bigint NOT NULL, -- since 1 January 1970, UTC
  messages     bigint NOT NULL DEFAULT 0,
  deliveries   bigint NOT NULL DEFAULT 0,
  storage      bigint NOT NULL DEFAULT 0, -- bytes
  peak         bigint NOT NULL DEFAULT 0, -- connections
  minute       bigint NOT NULL DEFAULT 0, -- since 1970: the last one that a node reported
  connections  bigint NOT NULL DEFAULT 0, -- of all nodes in that minute
  warned       bigint NOT NULL DEFAULT 0, -- bits of the quotas of which there was a warning
  PRIMARY KEY (app_key, day)
);
CREATE INDEX app_usage_by_day ON app_usage (day);

-- When the keys of apps were last used.
CREATE TABLE key_uses (
  app_key  bigint NOT NULL,
  name     text   COLLATE "C" NOT NULL,
  at       bigint NOT NULL, -- milliseconds
  PRIMARY KEY (app_key, name)
);
CREATE INDEX key_uses_by_age ON key_uses (at);
