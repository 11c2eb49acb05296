-- +goose Up

-- Integer keys inside, ids at the edge. Every table but apps is reached through
-- an app_key or a conv_key, so nothing of one app can be found from another.
-- AUTOINCREMENT where a key is a place in a listing or may be remembered after
-- its row is gone: such a key is never given twice.
-- 9007199254740991 is skein.Forever.

CREATE TABLE apps (
  app_key      INTEGER PRIMARY KEY AUTOINCREMENT,
  id           TEXT    NOT NULL UNIQUE,
  name         TEXT    NOT NULL,
  keys         TEXT    NOT NULL, -- JSON, see apps.go
  token_secret BLOB,
  settings     TEXT    NOT NULL, -- JSON, see apps.go
  created      INTEGER NOT NULL,
  deleted      INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE clients (
  client_key   INTEGER PRIMARY KEY AUTOINCREMENT, -- order of creation
  app_key      INTEGER NOT NULL,
  id           TEXT    NOT NULL,
  ext          TEXT,
  created      INTEGER NOT NULL,
  updated      INTEGER NOT NULL,
  banned_until INTEGER NOT NULL,
  ban_reason   TEXT    NOT NULL,
  cut          INTEGER NOT NULL,
  device_cuts  TEXT, -- JSON object of device_id to milliseconds
  seen         INTEGER NOT NULL DEFAULT 0,
  since        INTEGER NOT NULL DEFAULT 0, -- newest message_key when the id was taken again; what is older a former holder said
  deleted      INTEGER NOT NULL DEFAULT 0,
  UNIQUE (app_key, id)
) STRICT;

CREATE INDEX clients_by_creation ON clients (app_key, client_key) WHERE deleted = 0;
CREATE INDEX clients_again ON clients (since) WHERE since > 0;

CREATE TABLE conversations (
  conv_key     INTEGER PRIMARY KEY AUTOINCREMENT,
  app_key      INTEGER NOT NULL,
  id           BLOB    NOT NULL,
  type         INTEGER NOT NULL,
  creator      TEXT    NOT NULL,
  member_count INTEGER NOT NULL,
  mute_all     INTEGER NOT NULL DEFAULT 0,
  last_seq     INTEGER NOT NULL,
  last_change  INTEGER NOT NULL DEFAULT 0,
  speaker      INTEGER NOT NULL DEFAULT 0, -- member_key of who sent the newest message of a member's; 0: none did
  spoke        INTEGER NOT NULL DEFAULT 0, -- its seq
  moved        INTEGER NOT NULL, -- stamp of the last commit that changed what a member sees; see stamp.go and moves.go
  created      INTEGER NOT NULL,
  updated      INTEGER NOT NULL,
  active       INTEGER NOT NULL,
  period       INTEGER NOT NULL, -- that active falls in; see find.go
  ttl          INTEGER NOT NULL, -- milliseconds; 0: none
  expires      INTEGER NOT NULL, -- Forever: never
  deleted      INTEGER NOT NULL DEFAULT 0,
  extend       TEXT, -- last: it may be long, and what stands behind it would cost more to read
  UNIQUE (app_key, id)
) STRICT;

-- expires is in the index so that counting needs no row.
CREATE INDEX conversations_by_activity ON conversations (app_key, period, conv_key, expires) WHERE deleted = 0;
CREATE INDEX conversations_deleted ON conversations (conv_key) WHERE deleted = 1;
CREATE INDEX conversations_expiring ON conversations (expires) WHERE expires < 9007199254740991;

-- The one conversation of two clients, first_id < second_id.
CREATE TABLE private_pairs (
  app_key      INTEGER NOT NULL,
  first_id     TEXT    NOT NULL,
  second_id    TEXT    NOT NULL,
  conv_key     INTEGER NOT NULL UNIQUE,
  PRIMARY KEY (app_key, first_id, second_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
  member_key   INTEGER PRIMARY KEY AUTOINCREMENT, -- order of joining
  conv_key     INTEGER NOT NULL,
  app_key      INTEGER NOT NULL,
  client_id    TEXT    NOT NULL,
  role         INTEGER NOT NULL,
  nickname     TEXT    NOT NULL DEFAULT '',
  joined       INTEGER NOT NULL,
  join_seq     INTEGER NOT NULL,
  muted_until  INTEGER NOT NULL,
  read_seq     INTEGER NOT NULL DEFAULT 0,
  received_seq INTEGER NOT NULL DEFAULT 0,
  sent_seq     INTEGER NOT NULL DEFAULT 0, -- behind while it is the conversation's speaker
  cleared_seq  INTEGER NOT NULL DEFAULT 0,
  pinned       INTEGER NOT NULL DEFAULT 0, -- milliseconds
  muted        INTEGER NOT NULL DEFAULT 0,
  archived     INTEGER NOT NULL DEFAULT 0,
  draft        TEXT    NOT NULL DEFAULT '',
  moved        INTEGER NOT NULL, -- stamp of the last commit that changed this row, SentSeq aside
  UNIQUE (conv_key, client_id)
) STRICT;

-- client_id and join_seq are in it so that an audience needs no row.
CREATE INDEX members_by_joining ON members (conv_key, member_key, client_id, join_seq);
CREATE INDEX members_by_client ON members (app_key, client_id, conv_key);
CREATE INDEX members_by_move ON members (app_key, client_id, moved, conv_key);

-- Conversations that clients are in no more, for those who were away. A rejoining
-- takes the row away, also to a later conversation with the same id.
CREATE TABLE departures (
  app_key      INTEGER NOT NULL,
  client_id    TEXT    NOT NULL,
  conv_id      BLOB    NOT NULL,
  conv_key     INTEGER NOT NULL, -- place in a walk
  moved        INTEGER NOT NULL, -- stamp
  PRIMARY KEY (app_key, client_id, conv_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX departures_by_move ON departures (app_key, client_id, moved, conv_key);
CREATE INDEX departures_by_age ON departures (moved);

-- One row: the epoch, a stamp that no commit has reached yet (see stamp.go), the
-- newest stamp of the departures that are forgotten, and what nobody outside can know
-- of retry numbers (see retries.go).
CREATE TABLE history (
  one          INTEGER PRIMARY KEY CHECK (one = 1),
  epoch        INTEGER NOT NULL,
  ceiling      INTEGER NOT NULL,
  forgotten    INTEGER NOT NULL DEFAULT 0,
  salt         BLOB    NOT NULL
) STRICT;

INSERT INTO history (one, epoch, ceiling, salt) VALUES (1, abs(random() >> 11), 0, randomblob(16));

-- Stamps that no commit has had: after and until are the ends. See stamp.go.
CREATE TABLE pauses (
  after        INTEGER PRIMARY KEY,
  until        INTEGER NOT NULL
) STRICT;

CREATE TABLE messages (
  message_key   INTEGER PRIMARY KEY, -- given by the writer, ascending
  conv_key      INTEGER NOT NULL,
  seq           INTEGER NOT NULL,
  id            BLOB    NOT NULL UNIQUE,
  sender        TEXT    NOT NULL,
  client_msg_id TEXT,
  retry         INTEGER, -- see retries.go; NULL: no client_msg_id
  content_hash  BLOB, -- of what was sent, for retries; NULL: no client_msg_id, or erased
  type          INTEGER NOT NULL,
  status        INTEGER NOT NULL,
  flags         INTEGER NOT NULL, -- see message.go
  created       INTEGER NOT NULL,
  updated       INTEGER NOT NULL,
  reply_to      BLOB,
  mentions      TEXT, -- JSON list of client ids
  url           TEXT    NOT NULL,
  attr          TEXT,
  text          TEXT    NOT NULL,
  version       INTEGER NOT NULL DEFAULT 1,
  changed       INTEGER NOT NULL DEFAULT 0, -- change_seq of the newest change that everyone sees
  pinned        INTEGER NOT NULL DEFAULT 0, -- milliseconds
  reactions     TEXT, -- JSON summary of the table reactions, see reactions.go; NULL: none
  UNIQUE (conv_key, seq)
) STRICT;

CREATE INDEX messages_pinned ON messages (conv_key, pinned) WHERE pinned > 0;

-- Who is mentioned where; client_id is empty for everyone.
CREATE TABLE mentions (
  conv_key      INTEGER NOT NULL,
  client_id     TEXT    NOT NULL,
  seq           INTEGER NOT NULL,
  PRIMARY KEY (conv_key, client_id, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX mentions_by_message ON mentions (conv_key, seq);

CREATE TABLE changes (
  conv_key      INTEGER NOT NULL,
  change_seq    INTEGER NOT NULL,
  kind          INTEGER NOT NULL,
  message_key   INTEGER NOT NULL,
  client_id     TEXT    NOT NULL, -- who; empty: the backend
  at            INTEGER NOT NULL,
  emoji         TEXT    NOT NULL DEFAULT '',
  on_off        INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (conv_key, change_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE reactions (
  conv_key      INTEGER NOT NULL,
  seq           INTEGER NOT NULL,
  emoji         TEXT    NOT NULL,
  client_id     TEXT    NOT NULL,
  place         INTEGER NOT NULL, -- change_seq of the change that set it: the order they came in
  PRIMARY KEY (conv_key, seq, emoji, client_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX reactions_by_place ON reactions (conv_key, seq, emoji, place);

-- Messages that members deleted for themselves.
CREATE TABLE hidden (
  conv_key      INTEGER NOT NULL,
  client_id     TEXT    NOT NULL,
  seq           INTEGER NOT NULL,
  PRIMARY KEY (conv_key, client_id, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX hidden_by_message ON hidden (conv_key, seq);

-- Files in the storage, and the messages that name them.
CREATE TABLE uploads (
  upload_key    INTEGER PRIMARY KEY,
  app_key       INTEGER NOT NULL,
  name          TEXT    NOT NULL UNIQUE,
  client_id     TEXT    NOT NULL, -- who uploaded it; empty: the backend
  created       INTEGER NOT NULL,
  withdrawn     INTEGER NOT NULL DEFAULT 0 -- 1: its uploader took back a message that named it
) STRICT;

CREATE INDEX uploads_withdrawn ON uploads (upload_key) WHERE withdrawn = 1;

CREATE TABLE upload_uses (
  upload_key    INTEGER NOT NULL,
  message_key   INTEGER NOT NULL,
  PRIMARY KEY (upload_key, message_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX upload_uses_by_message ON upload_uses (message_key);

CREATE INDEX messages_by_retry ON messages (retry) WHERE retry IS NOT NULL;

-- Clients deleted with erase, and how far their messages are looked through.
CREATE TABLE erasures (
  erasure_key  INTEGER PRIMARY KEY,
  app_key      INTEGER NOT NULL,
  client_id    TEXT    NOT NULL,
  done         INTEGER NOT NULL, -- message_key looked at last
  upto         INTEGER NOT NULL  -- newest message_key when the client was deleted
) STRICT;

CREATE INDEX erasures_by_app ON erasures (app_key);

-- +goose Down
DROP TABLE upload_uses;
DROP TABLE uploads;
DROP TABLE hidden;
DROP TABLE reactions;
DROP TABLE changes;
DROP TABLE mentions;
DROP TABLE pauses;
DROP TABLE history;
DROP TABLE departures;
DROP TABLE erasures;
DROP TABLE messages;
DROP TABLE members;
DROP TABLE private_pairs;
DROP TABLE conversations;
DROP TABLE clients;
DROP TABLE apps;
