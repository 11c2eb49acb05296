-- +goose Up

-- Who runs the installation.
CREATE TABLE operators (
  name     text    COLLATE "C" PRIMARY KEY,
  roles    text    NOT NULL, -- JSON
  tokens   text    NOT NULL, -- JSON; hashes alone
  created  bigint  NOT NULL
);

-- What they did. Rows are only added; each has the hash of itself and of the row before it.
CREATE TABLE audit (
  seq         bigint  PRIMARY KEY, -- 1, 2, 3 … without gaps
  at          bigint  NOT NULL, -- milliseconds, by the store's clock
  operator    text    COLLATE "C" NOT NULL,
  token       text    NOT NULL,
  addr        text    NOT NULL,
  request_id  text    NOT NULL,
  op          text    COLLATE "C" NOT NULL,
  app_id      text    COLLATE "C" NOT NULL, -- empty: about no app
  target      text    COLLATE "C" NOT NULL,
  before      text, -- JSON; NULL: there was nothing
  after       text, -- JSON; NULL: there is nothing
  hash        bytea   NOT NULL
);
CREATE INDEX audit_by_app ON audit (app_id, seq);
