-- +goose Up

-- size is in bytes; 0: not known yet, of files from before this column.
ALTER TABLE uploads ADD COLUMN size INTEGER NOT NULL DEFAULT 0;

-- What its uploader called the file; empty: nothing.
ALTER TABLE uploads ADD COLUMN title TEXT NOT NULL DEFAULT '';

-- How much each app has uploaded, kept by the triggers.
CREATE TABLE storage (
  app_key       INTEGER PRIMARY KEY,
  bytes         INTEGER NOT NULL
) STRICT;

INSERT INTO storage (app_key, bytes) SELECT DISTINCT app_key, 0 FROM uploads;

-- +goose StatementBegin
CREATE TRIGGER upload_added AFTER INSERT ON uploads BEGIN
  INSERT INTO storage (app_key, bytes) VALUES (new.app_key, new.size)
    ON CONFLICT (app_key) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER upload_measured AFTER UPDATE OF size ON uploads BEGIN
  UPDATE storage SET bytes = bytes + new.size - old.size WHERE app_key = new.app_key;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER upload_removed AFTER DELETE ON uploads BEGIN
  UPDATE storage SET bytes = bytes - old.size WHERE app_key = old.app_key;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER upload_removed;
DROP TRIGGER upload_measured;
DROP TRIGGER upload_added;
DROP TABLE storage;
ALTER TABLE uploads DROP COLUMN title;
ALTER TABLE uploads DROP COLUMN size;
