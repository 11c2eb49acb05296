-- +goose Up

-- What apps used, by day.
CREATE TABLE app_usage (
  app_key      INTEGER NOT NULL,
  day          INTEGER NOT NULL, -- since 1 January 1970, UTC
  messages     INTEGER NOT NULL DEFAULT 0,
  deliveries   INTEGER NOT NULL DEFAULT 0,
  storage      INTEGER NOT NULL DEFAULT 0, -- bytes
  peak         INTEGER NOT NULL DEFAULT 0, -- connections
  minute       INTEGER NOT NULL DEFAULT 0, -- since 1970: the last one that a node reported
  connections  INTEGER NOT NULL DEFAULT 0, -- of all nodes in that minute
  warned       INTEGER NOT NULL DEFAULT 0, -- bits of the quotas of which there was a warning
  PRIMARY KEY (app_key, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX app_usage_by_day ON app_usage (day);

-- When the keys of apps were last used.
CREATE TABLE key_uses (
  app_key  INTEGER NOT NULL,
  name     TEXT    NOT NULL,
  at       INTEGER NOT NULL, -- milliseconds
  PRIMARY KEY (app_key, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX key_uses_by_age ON key_uses (at);

-- +goose Down
DROP TABLE key_uses;
DROP TABLE app_usage;
