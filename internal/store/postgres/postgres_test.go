package postgres_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres"
	"github.com/skein-im/skein/internal/store/postgres/engine"
	"github.com/skein-im/skein/internal/store/postgres/pgtest"
	"github.com/skein-im/skein/internal/store/storetest"
)

// server is the PostgreSQL of this process.
var server = &pgtest.Server{
	Migrate: func(ctx context.Context, url string) error {
		s, err := postgres.Open(ctx, postgres.Options{URL: url})
		if err != nil {
			return err
		}
		return s.Close()
	},
	Reset: `SET session_replication_role = replica; -- no triggers
		CREATE TEMPORARY TABLE here AS SELECT place FROM history;
		DO $$ DECLARE t text; BEGIN
			FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version' LOOP
				EXECUTE 'DELETE FROM ' || t;
			END LOOP;
		END $$;
		INSERT INTO history (place) SELECT place FROM here; INSERT INTO refill (until) VALUES (0);
		DO $$ DECLARE t text; BEGIN -- what the planner learnt of the rows of the test before
			FOR t IN SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > 1 AND relnamespace = 'public'::regnamespace LOOP
				EXECUTE 'ANALYZE (SKIP_LOCKED) ' || t; -- autovacuum may have it in hand
			END LOOP;
		END $$`,
}

func TestMain(m *testing.M) {
	code := m.Run()
	server.Stop()
	os.Exit(code)
}

// TestPostgres is the contract, on two handles as two nodes have them.
func TestPostgres(t *testing.T) { storetest.Run(t, open) }

func open(t *testing.T, opt storetest.Options) (a, b store.Store) {
	t.Helper()
	url := server.Database(t)
	t.Cleanup(func() { wantNoticed(t, url) })
	return openWarm(t, url, opt), openWarm(t, url, opt)
}

// openWarm opens a database of server over connections that tests had before.
func openWarm(t *testing.T, url string, opt storetest.Options) *postgres.Store {
	t.Helper()
	return openBy(t, server.Dial, url, opt)
}

// openOne opens a database of any server.
func openOne(t *testing.T, url string, opt storetest.Options) *postgres.Store {
	t.Helper()
	return openBy(t, nil, url, opt)
}

func openBy(t *testing.T, dial engine.Dial, url string, opt storetest.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Options{URL: url, Dial: dial, Committed: opt.Committed, Now: opt.Now, SearchTime: time.Hour, Conns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
