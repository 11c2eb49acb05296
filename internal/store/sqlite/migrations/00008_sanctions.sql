-- +goose Up

-- What is in force against clients who are not members: who was removed from a room and
-- may not join by itself until a moment, and the mute of who left. Both are
-- milliseconds; 0: none.
CREATE TABLE sanctions (
  conv_key     INTEGER NOT NULL,
  app_key      INTEGER NOT NULL,
  client_id    TEXT    NOT NULL,
  banned_until INTEGER NOT NULL,
  muted_until  INTEGER NOT NULL,
  PRIMARY KEY (conv_key, client_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX sanctions_by_client ON sanctions (app_key, client_id);

-- +goose Down
DROP TABLE sanctions;
