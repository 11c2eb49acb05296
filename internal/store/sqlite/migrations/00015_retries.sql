-- +goose Up

-- Retries are known for seven days at least; see retries.go. These tables take turns: one
-- is filled, one is looked at too, one is emptied. Before, messages.retry had the number of
-- every message, in an index that grew with all of them. The column stays empty from now on.
CREATE TABLE retries_0 (
  number      INTEGER PRIMARY KEY,
  message_key INTEGER NOT NULL
) STRICT;
CREATE TABLE retries_1 (
  number      INTEGER PRIMARY KEY,
  message_key INTEGER NOT NULL
) STRICT;
CREATE TABLE retries_2 (
  number      INTEGER PRIMARY KEY,
  message_key INTEGER NOT NULL
) STRICT;

ALTER TABLE history ADD COLUMN retry_table INTEGER NOT NULL DEFAULT 0;
ALTER TABLE history ADD COLUMN retry_since INTEGER NOT NULL DEFAULT 0;

-- The ids of messages begin with the milliseconds at which they were made. Of messages
-- with the same number, one in billions, the first is kept.
INSERT OR IGNORE INTO retries_0 (number, message_key)
  SELECT retry, message_key FROM messages
  WHERE id >= unhex(printf('%012x', (unixepoch() - 8 * 86400) * 1000)) AND retry IS NOT NULL;
DROP INDEX messages_by_retry;

-- +goose Down
CREATE INDEX messages_by_retry ON messages (retry) WHERE retry IS NOT NULL;
UPDATE messages SET retry = r.number
  FROM (SELECT * FROM retries_0 UNION ALL SELECT * FROM retries_1 UNION ALL SELECT * FROM retries_2) r
  WHERE messages.message_key = r.message_key;
ALTER TABLE history DROP COLUMN retry_since;
ALTER TABLE history DROP COLUMN retry_table;
DROP TABLE retries_2;
DROP TABLE retries_1;
DROP TABLE retries_0;
