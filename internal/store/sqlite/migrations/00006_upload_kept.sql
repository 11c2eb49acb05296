-- +goose Up

-- uploads.kept is 0 once a message, an extend or an ext has named the file: from then
-- on it goes with the last thing that names it. Drafts and nicknames only keep it.
-- The order in which things let go of it makes no difference.
DROP TRIGGER upload_named;
DROP TRIGGER upload_unnamed;
UPDATE uploads SET kept = 0 WHERE due = 0 OR EXISTS
  (SELECT 1 FROM upload_uses s WHERE s.upload_key = uploads.upload_key AND s.kind <> 4);

-- +goose StatementBegin
CREATE TRIGGER upload_named AFTER INSERT ON upload_uses BEGIN
  UPDATE uploads SET due = 9007199254740991, kept = iif(new.kind = 4, kept, 0) WHERE upload_key = new.upload_key
    AND (due < 9007199254740991 OR kept > 0);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER upload_unnamed AFTER DELETE ON upload_uses BEGIN
  UPDATE uploads SET due = kept WHERE upload_key = old.upload_key
    AND NOT EXISTS (SELECT 1 FROM upload_uses s WHERE s.upload_key = old.upload_key);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER upload_named;
DROP TRIGGER upload_unnamed;
-- +goose StatementBegin
CREATE TRIGGER upload_named AFTER INSERT ON upload_uses BEGIN
  UPDATE uploads SET due = 9007199254740991 WHERE upload_key = new.upload_key AND due < 9007199254740991;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER upload_unnamed AFTER DELETE ON upload_uses BEGIN
  UPDATE uploads SET due = iif(old.kind = 4, kept, 0) WHERE upload_key = old.upload_key
    AND NOT EXISTS (SELECT 1 FROM upload_uses s WHERE s.upload_key = old.upload_key);
END;
-- +goose StatementEnd
