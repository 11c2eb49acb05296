package postgres_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/store/postgres"
	"github.com/skein-im/skein/internal/store/postgres/engine"
)

func TestTenNodesMayStartAtOnceOnAnEmptyDatabase(t *testing.T) {
	url := server.Empty(t)
	const nodes = 10
	var started sync.WaitGroup
	var salts [nodes][]byte
	for i := range nodes {
		started.Go(func() {
			s, err := postgres.Open(t.Context(), postgres.Options{URL: url, Conns: 2})
			if err != nil {
				t.Error(err)
				return
			}
			salts[i] = s.Secret()
			if err := errors.Join(s.Ping(t.Context()), s.Close(), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	started.Wait()
	for _, salt := range salts {
		if len(salt) != 16 || !bytes.Equal(salt, salts[0]) {
			t.Errorf("got salts %x, want one of 16 bytes", salts)
			break
		}
	}
}

func TestADatabaseThatBreaksAPromiseIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		before, parameter string
		want              string
	}{
		"commits that are not waited for": {"", "&options=-csynchronous_commit%3Doff", engine.ErrUnsafe.Error()},
		"another program's tables":        {"CREATE TABLE theirs (a int)", "", "tables of another program"},
	} {
		t.Run(name, func(t *testing.T) {
			url := server.Empty(t)
			exec(t, url, tt.before)
			s, err := postgres.Open(t.Context(), postgres.Options{URL: url + tt.parameter})
			if err == nil {
				t.Fatal(errors.Join(errors.New("it was opened"), s.Close()))
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want %q", err, tt.want)
			}
		})
	}
}

// During a rolling upgrade the older release runs beside the newer, if the newer schema says
// that it may.
func TestANewerSchemaIsServedWhereItSaysSo(t *testing.T) {
	url := server.Database(t)
	exec(t, url, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`)
	defer exec(t, url, `DELETE FROM goose_db_version WHERE version_id = 9999`)
	s, err := postgres.Open(t.Context(), postgres.Options{URL: url})
	if err != nil {
		t.Fatalf("a schema that older binaries may serve: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	exec(t, url, `UPDATE history SET least_binary = 9999`)
	if _, err = postgres.Open(t.Context(), postgres.Options{URL: url}); err == nil || !strings.Contains(err.Error(), "schema version 9999") {
		t.Errorf("got %v, want that the schema is too new", err)
	}
}

// exec runs a statement on a database.
func exec(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err == nil {
		_, err = conn.Exec(t.Context(), sql)
		err = errors.Join(err, conn.Close(t.Context()))
	}
	if err != nil {
		t.Fatal(err)
	}
}
