-- +goose Up

-- What names which file; kind is what kind of thing that is, thing_key its row. See
-- uploads.go.
CREATE TABLE namings (
  upload_key    INTEGER NOT NULL,
  kind          INTEGER NOT NULL,
  thing_key     INTEGER NOT NULL,
  PRIMARY KEY (upload_key, kind, thing_key)
) STRICT, WITHOUT ROWID;

INSERT INTO namings (upload_key, kind, thing_key) SELECT upload_key, 1, message_key FROM upload_uses;
DROP TABLE upload_uses;
ALTER TABLE namings RENAME TO upload_uses;
CREATE INDEX upload_uses_by_thing ON upload_uses (kind, thing_key);

-- kept: until when the file stays although nothing names it. due: when it may go;
-- 9007199254740991 while something names it.
ALTER TABLE uploads ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
ALTER TABLE uploads ADD COLUMN due  INTEGER NOT NULL DEFAULT 0;
UPDATE uploads SET kept = created + 86400000;
UPDATE uploads SET due = CASE
  WHEN EXISTS (SELECT 1 FROM upload_uses s WHERE s.upload_key = uploads.upload_key) THEN 9007199254740991
  WHEN withdrawn THEN 0
  ELSE kept END;
DROP INDEX uploads_withdrawn;
ALTER TABLE uploads DROP COLUMN withdrawn;
CREATE INDEX uploads_by_due ON uploads (app_key, due);

-- Files that are to be removed from the storage. A row goes once its file has.
CREATE TABLE removals (
  name          TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Kinds of things from before this table was complete, and how far they are looked
-- through: keys after done, up to upto. See backfill.go.
CREATE TABLE backfill (
  kind          INTEGER PRIMARY KEY,
  done          INTEGER NOT NULL,
  upto          INTEGER NOT NULL
) STRICT;

INSERT INTO backfill (kind, done, upto) SELECT 1, 0, max(message_key) FROM messages WHERE EXISTS (SELECT 1 FROM uploads) HAVING max(message_key) > 0;
INSERT INTO backfill (kind, done, upto) SELECT 2, 0, max(conv_key) FROM conversations WHERE EXISTS (SELECT 1 FROM uploads) HAVING max(conv_key) > 0;
INSERT INTO backfill (kind, done, upto) SELECT 3, 0, max(client_key) FROM clients WHERE EXISTS (SELECT 1 FROM uploads) HAVING max(client_key) > 0;
INSERT INTO backfill (kind, done, upto) SELECT 4, 0, max(member_key) FROM members WHERE EXISTS (SELECT 1 FROM uploads) HAVING max(member_key) > 0;

-- +goose StatementBegin
CREATE TRIGGER upload_named AFTER INSERT ON upload_uses BEGIN
  UPDATE uploads SET due = 9007199254740991 WHERE upload_key = new.upload_key AND due < 9007199254740991;
END;
-- +goose StatementEnd

-- The last thing that named it lets go: it may go at once. A draft is put away just
-- before its text is sent, so what it named stays as long as if it had not named it.
-- +goose StatementBegin
CREATE TRIGGER upload_unnamed AFTER DELETE ON upload_uses BEGIN
  UPDATE uploads SET due = iif(old.kind = 4, kept, 0) WHERE upload_key = old.upload_key
    AND NOT EXISTS (SELECT 1 FROM upload_uses s WHERE s.upload_key = old.upload_key);
END;
-- +goose StatementEnd

-- Members go in many ways, and few of them name a file.
-- +goose StatementBegin
CREATE TRIGGER member_gone AFTER DELETE ON members WHEN old.draft <> '' OR old.nickname <> '' BEGIN
  DELETE FROM upload_uses WHERE kind = 4 AND thing_key = old.member_key;
END;
-- +goose StatementEnd

-- A file goes with its row, however that goes.
-- +goose StatementBegin
CREATE TRIGGER upload_gone AFTER DELETE ON uploads BEGIN
  INSERT INTO removals (name) VALUES (old.name);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER upload_gone;
DROP TRIGGER member_gone;
DROP TRIGGER upload_unnamed;
DROP TRIGGER upload_named;
DROP TABLE backfill;
DROP TABLE removals;
DROP INDEX uploads_by_due;
ALTER TABLE uploads ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
UPDATE uploads SET withdrawn = due = 0;
ALTER TABLE uploads DROP COLUMN due;
ALTER TABLE uploads DROP COLUMN kept;
CREATE INDEX uploads_withdrawn ON uploads (upload_key) WHERE withdrawn = 1;
CREATE TABLE namings (
  upload_key    INTEGER NOT NULL,
  message_key   INTEGER NOT NULL,
  PRIMARY KEY (upload_key, message_key)
) STRICT, WITHOUT ROWID;
INSERT INTO namings (upload_key, message_key) SELECT upload_key, thing_key FROM upload_uses WHERE kind = 1;
DROP TABLE upload_uses;
ALTER TABLE namings RENAME TO upload_uses;
CREATE INDEX upload_uses_by_message ON upload_uses (message_key);
