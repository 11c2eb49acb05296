-- +goose Up

-- rev grows with every change of a client. incarnation is 1, and one more each time a
-- deleted id is created anew: a message or reaction of another incarnation is not the
-- client's own.
ALTER TABLE clients ADD COLUMN rev INTEGER NOT NULL DEFAULT 1;
ALTER TABLE clients ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 1;

-- roster_rev grows with every change of the members, their roles or mutes.
ALTER TABLE conversations ADD COLUMN roster_rev INTEGER NOT NULL DEFAULT 1;

-- incarnation of the sender; 0: somebody who had the id before an import.
ALTER TABLE messages ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 1;
ALTER TABLE reactions ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 1;

-- Until now clients.since told them apart: the newest message_key when the id was taken
-- again. Bit 8 of messages.flags told the same of imported ones. One scan of the
-- messages finds both.
UPDATE clients SET incarnation = 2 WHERE since > 0;
UPDATE messages SET incarnation = iif(flags & 8, 0, 2), flags = flags & ~8
  WHERE flags & 8 OR message_key > (SELECT min(since) FROM clients WHERE since > 0)
    AND message_key > (SELECT p.since FROM conversations v JOIN clients p ON p.app_key = v.app_key AND p.id = messages.sender
      WHERE v.conv_key = messages.conv_key AND p.since > 0);

-- A reaction is as old as the change that set it.
UPDATE reactions SET incarnation = 2
  WHERE EXISTS (SELECT 1 FROM clients WHERE since > 0) AND EXISTS (SELECT 1
    FROM conversations v JOIN clients p ON p.app_key = v.app_key AND p.id = reactions.client_id
      JOIN changes h ON h.conv_key = v.conv_key AND h.change_seq = reactions.place
    WHERE v.conv_key = reactions.conv_key AND p.since > 0 AND h.at >= p.created);

-- An erasure is of the messages and reactions up to one incarnation.
ALTER TABLE erasures ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 1;
UPDATE erasures SET incarnation = 2 WHERE EXISTS (SELECT 1 FROM clients p
  WHERE p.app_key = erasures.app_key AND p.id = erasures.client_id AND p.since > 0 AND p.since < erasures.upto);
ALTER TABLE erasures DROP COLUMN upto;
DROP TABLE erasure_bounds;
DROP INDEX clients_again;
ALTER TABLE clients DROP COLUMN since;
CREATE INDEX clients_again ON clients (app_key, incarnation) WHERE incarnation > 1;

-- What a client deleted for itself goes with it.
CREATE INDEX hidden_by_client ON hidden (client_id, seq);

-- What ended logins: bans, cuts and deletions, for nodes that were not told. See cuts.go.
CREATE TABLE cuts (
  cut_key      INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order of their commits
  app_key      INTEGER NOT NULL,
  client_id    TEXT    NOT NULL,
  device_id    TEXT    NOT NULL, -- empty: all
  reason       TEXT    NOT NULL,
  rev          INTEGER NOT NULL, -- of the client afterwards
  at           INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE cuts;
DROP INDEX clients_again;
DROP INDEX hidden_by_client;
ALTER TABLE clients ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
CREATE INDEX clients_again ON clients (since) WHERE since > 0;
CREATE TABLE erasure_bounds (
  erasure_key  INTEGER NOT NULL,
  conv_key     INTEGER NOT NULL,
  change_seq   INTEGER NOT NULL,
  PRIMARY KEY (erasure_key, conv_key)
) STRICT, WITHOUT ROWID;
ALTER TABLE erasures ADD COLUMN upto INTEGER NOT NULL DEFAULT 0;
UPDATE erasures SET upto = (SELECT coalesce(max(message_key), 0) FROM messages);
ALTER TABLE erasures DROP COLUMN incarnation;
UPDATE messages SET flags = flags | 8 WHERE EXISTS (SELECT 1 FROM conversations v JOIN clients p
  ON p.app_key = v.app_key AND p.id = messages.sender WHERE v.conv_key = messages.conv_key AND p.incarnation > messages.incarnation);
ALTER TABLE reactions DROP COLUMN incarnation;
ALTER TABLE messages DROP COLUMN incarnation;
ALTER TABLE conversations DROP COLUMN roster_rev;
ALTER TABLE clients DROP COLUMN incarnation;
ALTER TABLE clients DROP COLUMN rev;
