-- +goose Up

-- Fields of imported records that only others know: a JSON object. kind and thing_key
-- as in upload_uses, and 5: uploads, 6: changes, with change_seq as place, 7: apps.
CREATE TABLE unknown_fields (
  kind         INTEGER NOT NULL,
  thing_key    INTEGER NOT NULL,
  place        INTEGER NOT NULL,
  fields       TEXT    NOT NULL,
  PRIMARY KEY (kind, thing_key, place)
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER message_fields_gone AFTER DELETE ON messages BEGIN
  DELETE FROM unknown_fields WHERE kind = 1 AND thing_key = old.message_key;
END;
-- +goose StatementEnd

-- A message that says nothing any more keeps nothing beside it either.
-- +goose StatementBegin
CREATE TRIGGER message_fields_blank AFTER UPDATE OF status ON messages WHEN new.status <> 1 BEGIN
  DELETE FROM unknown_fields WHERE kind = 1 AND thing_key = old.message_key;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER conversation_fields_gone AFTER DELETE ON conversations BEGIN
  DELETE FROM unknown_fields WHERE kind = 2 AND thing_key = old.conv_key;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER client_fields_gone AFTER DELETE ON clients BEGIN
  DELETE FROM unknown_fields WHERE kind = 3 AND thing_key = old.client_key;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER client_fields_deleted AFTER UPDATE OF deleted ON clients WHEN new.deleted = 1 BEGIN
  DELETE FROM unknown_fields WHERE kind = 3 AND thing_key = old.client_key;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER member_fields_gone AFTER DELETE ON members BEGIN
  DELETE FROM unknown_fields WHERE kind = 4 AND thing_key = old.member_key;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER upload_fields_gone AFTER DELETE ON uploads BEGIN
  DELETE FROM unknown_fields WHERE kind = 5 AND thing_key = old.upload_key;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER app_fields_gone AFTER DELETE ON apps BEGIN
  DELETE FROM unknown_fields WHERE kind = 7 AND thing_key = old.app_key;
END;
-- +goose StatementEnd

-- conversations.deleted is 2 while an import brings one in.
CREATE INDEX conversations_arriving ON conversations (moved) WHERE deleted = 2;

-- +goose Down
DROP INDEX conversations_arriving;
DROP TRIGGER app_fields_gone;
DROP TRIGGER upload_fields_gone;
DROP TRIGGER member_fields_gone;
DROP TRIGGER client_fields_deleted;
DROP TRIGGER client_fields_gone;
DROP TRIGGER conversation_fields_gone;
DROP TRIGGER message_fields_blank;
DROP TRIGGER message_fields_gone;
DROP TABLE unknown_fields;
