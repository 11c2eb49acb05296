-- +goose Up

-- Who runs the installation.
CREATE TABLE operators (
  name     TEXT    PRIMARY KEY,
  roles    TEXT    NOT NULL, -- JSON
  tokens   TEXT    NOT NULL, -- JSON; hashes alone
  created  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What they did. Rows are only added; each has the hash of itself and of the row before it.
CREATE TABLE audit (
  seq         INTEGER PRIMARY KEY, -- 1, 2, 3 … without gaps
  at          INTEGER NOT NULL, -- milliseconds, by the store's clock
  operator    TEXT    NOT NULL,
  token       TEXT    NOT NULL,
  addr        TEXT    NOT NULL,
  request_id  TEXT    NOT NULL,
  op          TEXT    NOT NULL,
  app_id      TEXT    NOT NULL, -- empty: about no app
  target      TEXT    NOT NULL,
  before      TEXT, -- JSON; NULL: there was nothing
  after       TEXT, -- JSON; NULL: there is nothing
  hash        BLOB    NOT NULL
) STRICT;
CREATE INDEX audit_by_app ON audit (app_id, seq);

-- +goose Down
DROP TABLE audit;
DROP TABLE operators;
