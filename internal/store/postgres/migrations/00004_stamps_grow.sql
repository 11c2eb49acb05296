-- +goose Up

-- Which cluster of PostgreSQL and which of its databases gave the stamps; NULL: not noted yet.
-- In another one the ids of transactions begin anew; see package postgres, settle.
ALTER TABLE history ADD COLUMN place text;

-- After a crash, and on a promoted standby, PostgreSQL gives ids again that it had given to
-- transactions of which nothing was logged, and cursors may lie above these ids. The row of refill
-- is lost at the same time. Who finds it missing raises base and writes it again, and until
-- then no transaction gets a stamp: 57P03 is what PostgreSQL itself answers while it starts.
-- +goose StatementBegin
CREATE FUNCTION no_stamp() RETURNS bigint LANGUAGE plpgsql VOLATILE AS
$$ BEGIN
  RAISE EXCEPTION 'the nodes have not noticed yet that PostgreSQL crashed or was promoted' USING ERRCODE = '57P03';
END $$;
-- +goose StatementEnd
CREATE OR REPLACE FUNCTION stamp() RETURNS bigint LANGUAGE sql VOLATILE AS
$$ SELECT coalesce((SELECT base + pg_current_xact_id()::text::bigint FROM history, refill), no_stamp()) $$;
