-- +goose Up

-- PostgreSQL keeps the plans of prepared statements, also those that it made while the tables
-- were nearly empty. Then it finds two indexes equally good that begin with the same column, and
-- may look for one conversation in the index that lists all of its app. So each of these indexes
-- has a condition that is true of every row, and that only the statements name that want this
-- index: the others cannot use it.
DROP INDEX conversations_by_activity;
CREATE INDEX conversations_by_activity ON conversations (app_key, period, conv_key, expires)
  WHERE deleted = 0 AND period < 9007199254740991;
DROP INDEX members_by_joining;
CREATE INDEX members_by_joining ON members (conv_key, member_key) WHERE member_key > 0;
DROP INDEX clients_by_creation;
CREATE INDEX clients_by_creation ON clients (app_key, client_key) WHERE NOT deleted AND client_key > 0;

CREATE INDEX apps_deleted ON apps (app_key) WHERE deleted;
