-- +goose Up

-- The tables and columns are those of the embedded engine and mean the same, save where a
-- comment says otherwise. Integer keys inside, ids at the edge. Every row of an app leads
-- with an app_key or a conv_key, so that the tables can be sharded by conversation later.
-- What refers to a message refers to (conv_key, seq): messages have no key of their own, so
-- that no sequence is on the path of a message.

-- One row that all nodes read: what the history of this database is.
CREATE TABLE history (
  one          boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch        bigint  NOT NULL DEFAULT 1,
  base         bigint  NOT NULL DEFAULT 0, -- added to a transaction's id; see stamp()
  forgotten    bigint  NOT NULL DEFAULT 0, -- departures up to this stamp were purged
  events_forgotten bigint NOT NULL DEFAULT 0, -- events up to this stamp were purged
  batches_forgotten bigint NOT NULL DEFAULT 0, -- batches up to this stamp were purged; see fed
  generation_base bigint NOT NULL DEFAULT 0, -- added to stamps for generations of logins; see refill
  retry_table  smallint NOT NULL DEFAULT 0, -- the table of retries that is filled now
  retry_since  bigint  NOT NULL DEFAULT 0,
  salt         bytea   NOT NULL DEFAULT uuid_send(gen_random_uuid()),
  least_binary bigint  NOT NULL DEFAULT 1 -- the oldest schema whose binaries may work on this one
);
INSERT INTO history DEFAULT VALUES;

-- +goose StatementBegin
-- The stamp of the transaction that calls it: what moved in a later transaction has a
-- greater one, once both are committed and the first is over.
CREATE FUNCTION stamp() RETURNS bigint LANGUAGE sql STABLE PARALLEL RESTRICTED AS
$$ SELECT (SELECT base FROM history) + pg_current_xact_id()::text::bigint $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- The stamp below which everything is over: a transaction that is still open, or not yet
-- begun, has this stamp or a greater one.
CREATE FUNCTION horizon() RETURNS bigint LANGUAGE sql STABLE PARALLEL RESTRICTED AS
$$ SELECT (SELECT base FROM history) + pg_snapshot_xmin(pg_current_snapshot())::text::bigint $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- The store's clock in milliseconds: the one that is given, or the database's.
CREATE FUNCTION clock(given bigint) RETURNS bigint LANGUAGE sql VOLATILE AS
$$ SELECT coalesce(given, (extract(epoch FROM clock_timestamp()) * 1000)::bigint) $$;
-- +goose StatementEnd

CREATE TABLE apps (
  app_key      bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id           text    COLLATE "C" NOT NULL UNIQUE,
  name         text    NOT NULL,
  keys         text    NOT NULL, -- JSON
  token_secret bytea,
  settings     text    NOT NULL, -- JSON
  created      bigint  NOT NULL,
  deleted      boolean NOT NULL DEFAULT false
);

CREATE TABLE clients (
  client_key   bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- order of creation
  app_key      bigint  NOT NULL,
  id           text    COLLATE "C" NOT NULL,
  ext          text,
  created      bigint  NOT NULL,
  updated      bigint  NOT NULL,
  banned_until bigint  NOT NULL,
  ban_reason   text    NOT NULL,
  cut          bigint  NOT NULL,
  device_cuts  text, -- JSON object of device_id to milliseconds
  seen         bigint  NOT NULL DEFAULT 0,
  deleted      boolean NOT NULL DEFAULT false,
  add_by       smallint NOT NULL DEFAULT 0,
  rev          bigint  NOT NULL DEFAULT 1,
  incarnation  bigint  NOT NULL DEFAULT 1,
  UNIQUE (app_key, id)
) WITH (fillfactor = 90);
CREATE INDEX clients_by_creation ON clients (app_key, client_key) WHERE NOT deleted;
CREATE INDEX clients_again ON clients (app_key, incarnation) WHERE incarnation > 1;

-- No index on moved: it would end the cheap (HOT) updates of every send.
CREATE TABLE conversations (
  conv_key     bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  app_key      bigint  NOT NULL,
  id           uuid    NOT NULL,
  type         smallint NOT NULL,
  creator      text    COLLATE "C" NOT NULL,
  member_count bigint  NOT NULL,
  mute_all     boolean NOT NULL DEFAULT false,
  last_seq     bigint  NOT NULL,
  last_change  bigint  NOT NULL DEFAULT 0,
  speaker      bigint  NOT NULL DEFAULT 0, -- member_key of the member that sent last; 0: none did
  spoke        bigint  NOT NULL DEFAULT 0, -- the seq of that message
  moved        bigint  NOT NULL, -- stamp() of the last transaction that changed what a member sees
  created      bigint  NOT NULL,
  updated      bigint  NOT NULL,
  active       bigint  NOT NULL,
  period       bigint  NOT NULL, -- that active falls in; see rows.PeriodOf
  ttl          bigint  NOT NULL, -- milliseconds; 0: none
  expires      bigint  NOT NULL, -- skein.Forever: never
  deleted      smallint NOT NULL DEFAULT 0, -- 1: deleted; 2: being imported
  roster_rev   bigint  NOT NULL DEFAULT 1,
  extend       text,
  UNIQUE (app_key, id)
) WITH (fillfactor = 80);
CREATE INDEX conversations_by_activity ON conversations (app_key, period, conv_key, expires) WHERE deleted = 0;
CREATE INDEX conversations_deleted ON conversations (conv_key) WHERE deleted = 1;
CREATE INDEX conversations_arriving ON conversations (conv_key) WHERE deleted = 2;
CREATE INDEX conversations_expiring ON conversations (expires) WHERE expires < 9007199254740991;

-- +goose StatementBegin
-- A text as JSON, or NULL if it is none that PostgreSQL can hold.
CREATE FUNCTION json_or_null(t text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$ BEGIN RETURN t::jsonb; EXCEPTION WHEN others THEN RETURN NULL; END $$;
-- +goose StatementEnd

CREATE TABLE private_pairs (
  app_key      bigint  NOT NULL,
  first_id     text    COLLATE "C" NOT NULL,
  second_id    text    COLLATE "C" NOT NULL,
  conv_key     bigint  NOT NULL UNIQUE,
  PRIMARY KEY (app_key, first_id, second_id)
);

CREATE TABLE members (
  member_key   bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- order of joining
  conv_key     bigint  NOT NULL,
  app_key      bigint  NOT NULL,
  client_id    text    COLLATE "C" NOT NULL,
  role         smallint NOT NULL,
  nickname     text    NOT NULL DEFAULT '',
  joined       bigint  NOT NULL,
  join_seq     bigint  NOT NULL,
  muted_until  bigint  NOT NULL,
  read_seq     bigint  NOT NULL DEFAULT 0,
  received_seq bigint  NOT NULL DEFAULT 0,
  sent_seq     bigint  NOT NULL DEFAULT 0, -- behind while it is the conversation's speaker
  cleared_seq  bigint  NOT NULL DEFAULT 0,
  pinned       bigint  NOT NULL DEFAULT 0, -- milliseconds
  muted        boolean NOT NULL DEFAULT false,
  archived     boolean NOT NULL DEFAULT false,
  unread_mark  boolean NOT NULL DEFAULT false,
  draft        text    NOT NULL DEFAULT '',
  moved        bigint  NOT NULL, -- stamp() of the last transaction that changed this row, sent_seq aside
  adder        text    COLLATE "C",
  UNIQUE (conv_key, client_id)
) WITH (fillfactor = 80);
CREATE INDEX members_by_joining ON members (conv_key, member_key);
CREATE INDEX members_by_client ON members (app_key, client_id, conv_key);
CREATE INDEX members_by_adder ON members (app_key, client_id, adder) WHERE adder IS NOT NULL;

CREATE TABLE sanctions (
  conv_key     bigint  NOT NULL,
  app_key      bigint  NOT NULL,
  client_id    text    COLLATE "C" NOT NULL,
  banned_until bigint  NOT NULL,
  muted_until  bigint  NOT NULL,
  PRIMARY KEY (conv_key, client_id)
);
CREATE INDEX sanctions_by_client ON sanctions (app_key, client_id);

CREATE TABLE departures (
  app_key      bigint  NOT NULL,
  client_id    text    COLLATE "C" NOT NULL,
  conv_id      uuid    NOT NULL,
  conv_key     bigint  NOT NULL, -- place in a walk
  moved        bigint  NOT NULL, -- stamp()
  at           bigint  NOT NULL DEFAULT clock(NULL), -- milliseconds
  PRIMARY KEY (app_key, client_id, conv_id)
);
CREATE INDEX departures_by_move ON departures (app_key, client_id, moved, conv_key);
CREATE INDEX departures_by_age ON departures (at);

CREATE TABLE messages (
  conv_key      bigint  NOT NULL,
  seq           bigint  NOT NULL,
  id            uuid    NOT NULL,
  sender        text    COLLATE "C" NOT NULL,
  client_msg_id text    COLLATE "C",
  content_hash  bytea, -- of what was sent, for retries; NULL: no client_msg_id, or erased
  type          bigint  NOT NULL,
  status        smallint NOT NULL,
  flags         smallint NOT NULL,
  created       bigint  NOT NULL,
  updated       bigint  NOT NULL,
  reply_to      uuid,
  mentions      text, -- JSON list of client ids
  url           text    NOT NULL,
  attr          text,
  text          text    NOT NULL,
  version       bigint  NOT NULL DEFAULT 1,
  changed       bigint  NOT NULL DEFAULT 0, -- change_seq of the newest change that everyone sees
  pinned        bigint  NOT NULL DEFAULT 0, -- milliseconds
  reactions     text, -- JSON summary of the table reactions; NULL: none
  incarnation   bigint  NOT NULL DEFAULT 1, -- of the sender
  PRIMARY KEY (conv_key, seq)
);
CREATE UNIQUE INDEX messages_by_id ON messages (id);
CREATE INDEX messages_pinned ON messages (conv_key, pinned) WHERE pinned > 0;
CREATE INDEX messages_blank ON messages (conv_key, seq) WHERE status <> 1;

CREATE TABLE mentions (
  conv_key      bigint  NOT NULL,
  client_id     text    COLLATE "C" NOT NULL, -- empty: everyone
  seq           bigint  NOT NULL,
  PRIMARY KEY (conv_key, client_id, seq)
);
CREATE INDEX mentions_by_message ON mentions (conv_key, seq);

CREATE TABLE changes (
  conv_key      bigint  NOT NULL,
  change_seq    bigint  NOT NULL,
  kind          smallint NOT NULL,
  seq           bigint  NOT NULL, -- of the message
  client_id     text    COLLATE "C" NOT NULL, -- who; empty: the backend
  at            bigint  NOT NULL,
  emoji         text    NOT NULL DEFAULT '',
  on_off        boolean NOT NULL DEFAULT false,
  PRIMARY KEY (conv_key, change_seq)
);

CREATE TABLE reactions (
  conv_key      bigint  NOT NULL,
  seq           bigint  NOT NULL,
  emoji         text    COLLATE "C" NOT NULL,
  client_id     text    COLLATE "C" NOT NULL,
  place         bigint  NOT NULL, -- change_seq of the change that set it: the order they came in
  incarnation   bigint  NOT NULL DEFAULT 1,
  PRIMARY KEY (conv_key, seq, emoji, client_id)
);
CREATE INDEX reactions_by_place ON reactions (conv_key, seq, emoji, place);

CREATE TABLE hidden (
  conv_key      bigint  NOT NULL,
  client_id     text    COLLATE "C" NOT NULL,
  seq           bigint  NOT NULL,
  PRIMARY KEY (conv_key, client_id, seq)
);
CREATE INDEX hidden_by_message ON hidden (conv_key, seq);
CREATE INDEX hidden_by_client ON hidden (client_id, seq);

-- Which message a client_msg_id made, in three tables that take turns, so that what is past
-- its time goes by TRUNCATE. tag is 63 bits of a hash; messages that share one are told
-- apart by their own rows.
CREATE TABLE retries_0 (conv_key bigint NOT NULL, tag bigint NOT NULL, seq bigint NOT NULL, PRIMARY KEY (conv_key, tag, seq));
CREATE TABLE retries_1 (conv_key bigint NOT NULL, tag bigint NOT NULL, seq bigint NOT NULL, PRIMARY KEY (conv_key, tag, seq));
CREATE TABLE retries_2 (conv_key bigint NOT NULL, tag bigint NOT NULL, seq bigint NOT NULL, PRIMARY KEY (conv_key, tag, seq));

CREATE TABLE erasures (
  erasure_key  bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  app_key      bigint  NOT NULL,
  client_id    text    COLLATE "C" NOT NULL,
  conv_id      uuid    NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- the place reached: all conversations below it are done
  seq          bigint  NOT NULL DEFAULT 0, -- and all messages of this one up to it
  incarnation  bigint  NOT NULL DEFAULT 1,
  xid          bigint  NOT NULL DEFAULT stamp() -- it begins when whoever saw the client living is done
);
CREATE INDEX erasures_by_app ON erasures (app_key);

-- The log of what was committed: one row a transaction that stored messages or changes, in
-- the order of xid, which is the order of seq and change_seq inside a conversation. The
-- arrays have one element a conversation; zeroes: none.
CREATE TABLE batches (
  xid          bigint  PRIMARY KEY, -- stamp() of the transaction
  at           bigint  NOT NULL, -- milliseconds
  conv_keys    bigint[] NOT NULL,
  from_seq     bigint[] NOT NULL,
  to_seq       bigint[] NOT NULL,
  from_change  bigint[] NOT NULL,
  to_change    bigint[] NOT NULL
);

-- Up to which seq the messages of a conversation are in no row of batches any more, since the
-- rows were purged. A reader that begins anew reads those messages first.
CREATE TABLE fed (
  conv_key     bigint  PRIMARY KEY,
  seq          bigint  NOT NULL
) WITH (fillfactor = 80);

-- What happened beside messages and changes. Inside a transaction: by event_key.
CREATE TABLE events (
  event_key    bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid          bigint  NOT NULL, -- stamp() of the transaction
  kind         smallint NOT NULL, -- store.EntryKind
  at           bigint  NOT NULL, -- milliseconds, by the store's clock
  app_id       text    NOT NULL,
  conv_id      uuid, -- NULL: not about a conversation
  change_seq   bigint  NOT NULL DEFAULT 0,
  client_id    text, -- NULL: not about one client
  clients      text -- JSON list of client ids; NULL: none
);
CREATE INDEX events_by_xid ON events (xid, event_key);

CREATE TABLE cuts (
  cut_key      bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid          bigint  NOT NULL, -- stamp() of the transaction
  app_key      bigint  NOT NULL,
  client_id    text    COLLATE "C" NOT NULL,
  device_id    text    NOT NULL, -- empty: all
  reason       text    NOT NULL,
  rev          bigint  NOT NULL, -- of the client afterwards
  at           bigint  NOT NULL
);
CREATE INDEX cuts_by_xid ON cuts (xid, cut_key);

CREATE TABLE leases (
  name         text    PRIMARY KEY,
  node         text    NOT NULL DEFAULT '', -- empty: released
  fence        bigint  NOT NULL,
  until        bigint  NOT NULL DEFAULT 0, -- milliseconds, by the store's clock
  cursor       text -- NULL: none was kept
);

-- Who is logged in. It need not outlive a crash: the nodes enter their sessions again.
CREATE UNLOGGED TABLE nodes (
  node         text    PRIMARY KEY,
  until        bigint  NOT NULL, -- milliseconds, by the store's clock
  gone         boolean NOT NULL DEFAULT false -- its lease ended, and its sessions are being taken out
) WITH (fillfactor = 50);
-- It has one row, which a crash removes with the sessions; see package sessions.
CREATE UNLOGGED TABLE refill (
  one          boolean PRIMARY KEY DEFAULT true CHECK (one),
  until        bigint  NOT NULL -- milliseconds: until then not all nodes may have entered their sessions again
);
INSERT INTO refill (until) VALUES (0);
CREATE UNLOGGED TABLE sessions (
  app          text    COLLATE "C" NOT NULL,
  client_id    text    COLLATE "C" NOT NULL,
  device_id    text    COLLATE "C" NOT NULL,
  device_type  smallint NOT NULL,
  session_id   text    COLLATE "C" NOT NULL,
  node         text    NOT NULL,
  generation   bigint  NOT NULL,
  resumed      boolean NOT NULL,
  displaced    text, -- the reason, until its node took it out; NULL: it is there
  PRIMARY KEY (app, client_id, session_id, node)
);
CREATE INDEX sessions_by_node ON sessions (node);
CREATE INDEX sessions_displaced ON sessions (node) WHERE displaced IS NOT NULL;

-- What is deleted in order, or changes all the time, is vacuumed before a fifth of it is dead.
ALTER TABLE batches SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE events SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE fed SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE nodes SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE sessions SET (autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE uploads (
  upload_key   bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  app_key      bigint  NOT NULL,
  name         text    COLLATE "C" NOT NULL UNIQUE,
  client_id    text    NOT NULL, -- who uploaded it; empty: the backend
  created      bigint  NOT NULL,
  size         bigint  NOT NULL DEFAULT 0,
  title        text    NOT NULL DEFAULT '',
  kept         bigint  NOT NULL DEFAULT 0,
  due          bigint  NOT NULL DEFAULT 0
);
CREATE INDEX uploads_by_due ON uploads (app_key, due);

-- thing_key is a conv_key, client_key or member_key; of a message, conv_key and seq.
CREATE TABLE upload_uses (
  upload_key   bigint  NOT NULL,
  kind         smallint NOT NULL,
  thing_key    bigint  NOT NULL,
  seq          bigint  NOT NULL DEFAULT 0,
  PRIMARY KEY (upload_key, kind, thing_key, seq)
);
CREATE INDEX upload_uses_by_thing ON upload_uses (kind, thing_key, seq);

CREATE TABLE removals (
  name         text    COLLATE "C" PRIMARY KEY
);

CREATE TABLE storage (
  app_key      bigint  PRIMARY KEY,
  bytes        bigint  NOT NULL
);

-- Fields of imported records that only others know. place is a seq or a change_seq.
CREATE TABLE unknown_fields (
  kind         smallint NOT NULL,
  thing_key    bigint  NOT NULL,
  place        bigint  NOT NULL,
  fields       text    NOT NULL,
  PRIMARY KEY (kind, thing_key, place)
);

-- +goose StatementBegin
CREATE FUNCTION upload_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO storage (app_key, bytes) VALUES (new.app_key, new.size)
      ON CONFLICT (app_key) DO UPDATE SET bytes = storage.bytes + excluded.bytes;
  ELSIF TG_OP = 'UPDATE' THEN
    UPDATE storage SET bytes = bytes + new.size - old.size WHERE app_key = new.app_key;
  ELSE
    UPDATE storage SET bytes = bytes - old.size WHERE app_key = old.app_key;
    INSERT INTO removals (name) VALUES (old.name);
    DELETE FROM unknown_fields WHERE kind = 5 AND thing_key = old.upload_key;
  END IF;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER upload_changed AFTER INSERT OR DELETE OR UPDATE OF size ON uploads
  FOR EACH ROW EXECUTE FUNCTION upload_changed();

-- +goose StatementBegin
CREATE FUNCTION upload_named() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE uploads SET due = 9007199254740991, kept = CASE new.kind WHEN 4 THEN kept ELSE 0 END
    WHERE upload_key = new.upload_key AND (due < 9007199254740991 OR kept > 0);
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER upload_named AFTER INSERT ON upload_uses FOR EACH ROW EXECUTE FUNCTION upload_named();

-- +goose StatementBegin
CREATE FUNCTION upload_unnamed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- A statement of its own: the next one sees what those who had the lock have committed.
  PERFORM 1 FROM uploads WHERE upload_key = old.upload_key FOR NO KEY UPDATE;
  UPDATE uploads SET due = kept WHERE upload_key = old.upload_key
    AND NOT EXISTS (SELECT 1 FROM upload_uses s WHERE s.upload_key = old.upload_key);
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER upload_unnamed AFTER DELETE ON upload_uses FOR EACH ROW EXECUTE FUNCTION upload_unnamed();

-- +goose StatementBegin
CREATE FUNCTION fields_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  CASE TG_TABLE_NAME
    WHEN 'messages' THEN DELETE FROM unknown_fields WHERE kind = 1 AND thing_key = old.conv_key AND place = old.seq;
    WHEN 'conversations' THEN DELETE FROM unknown_fields WHERE kind = 2 AND thing_key = old.conv_key;
    WHEN 'clients' THEN DELETE FROM unknown_fields WHERE kind = 3 AND thing_key = old.client_key;
    WHEN 'members' THEN
      DELETE FROM unknown_fields WHERE kind = 4 AND thing_key = old.member_key;
      IF old.draft <> '' OR old.nickname <> '' THEN
        DELETE FROM upload_uses WHERE kind = 4 AND thing_key = old.member_key;
      END IF;
    WHEN 'apps' THEN DELETE FROM unknown_fields WHERE kind = 7 AND thing_key = old.app_key;
  END CASE;
  RETURN NULL;
END $$;
-- +goose StatementEnd
-- The purge of messages removes their fields itself, by conversation.
CREATE TRIGGER message_blank AFTER UPDATE OF status ON messages FOR EACH ROW WHEN (new.status <> 1) EXECUTE FUNCTION fields_gone();
CREATE TRIGGER conversation_gone AFTER DELETE ON conversations FOR EACH ROW EXECUTE FUNCTION fields_gone();
CREATE TRIGGER client_gone AFTER DELETE ON clients FOR EACH ROW EXECUTE FUNCTION fields_gone();
CREATE TRIGGER client_deleted AFTER UPDATE OF deleted ON clients FOR EACH ROW WHEN (new.deleted) EXECUTE FUNCTION fields_gone();
CREATE TRIGGER member_gone AFTER DELETE ON members FOR EACH ROW EXECUTE FUNCTION fields_gone();
CREATE TRIGGER app_gone AFTER DELETE ON apps FOR EACH ROW EXECUTE FUNCTION fields_gone();
