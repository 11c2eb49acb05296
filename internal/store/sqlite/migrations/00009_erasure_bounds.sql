-- +goose Up

-- A client who is created anew may react again while an erasure of its former holder is
-- under way. The erasure takes of a conversation what was reacted with up to change_seq;
-- all, where it has no row here.
CREATE TABLE erasure_bounds (
  erasure_key  INTEGER NOT NULL,
  conv_key     INTEGER NOT NULL,
  change_seq   INTEGER NOT NULL,
  PRIMARY KEY (erasure_key, conv_key)
) STRICT, WITHOUT ROWID;

-- An erasure under way begins anew: it has passed by reactions.
UPDATE erasures SET conv_id = x'', seq = 0;

-- +goose Down
DROP TABLE erasure_bounds;
