// Package pgtest gives tests databases of a real PostgreSQL: one throw-away server a test
// process, which ends with the process however that ends, and a fresh database a test. With
// SKEIN_TEST_POSTGRES set to the URL of a server it makes the databases there instead.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/pgserver"
)

// settings make a server that is thrown away fast. It never syncs, and answers only on a
// socket in its own directory.
var settings = map[string]string{
	"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on",
	"listen_addresses": "", "max_connections": "300", "shared_buffers": "48MB",
	"wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "256MB",
	"jit": "off", "autovacuum_naptime": "5s", "log_min_messages": "fatal", "log_min_error_statement": "panic",
}

// Server is a server that makes databases for tests. The zero value starts one when the first
// is asked for.
type Server struct {
	// Migrate brings the schema of an empty database up to date; nil: databases are empty. It
	// is called once: the databases of tests are copies.
	Migrate func(ctx context.Context, url string) error
	// Reset is SQL that makes a database again what Migrate made, for the next test: that is
	// a twentieth of what another copy costs. Empty: each test has a copy of its own.
	Reset string

	Warm // connections to databases that Reset serves

	once    sync.Once
	url     string
	err     error
	process *pgserver.Server // nil: not ours, or not started
	count   atomic.Int64

	mu     sync.Mutex
	unused []string // databases that no test uses; guarded by mu
}

// Database makes a database of the newest schema and returns its URL. The test must have closed
// it when it ends.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	ctx, server := context.Background(), s.URL(t)
	name := s.free()
	if name == "" {
		name = s.copy(t)
	}
	t.Cleanup(func() {
		if err := s.giveBack(ctx, name); err != nil {
			t.Error(err)
		}
	})
	return in(server, name)
}

// Fresh is Database for a test that looks at what PostgreSQL counted: no test has used this one.
func (s *Server) Fresh(t testing.TB) string {
	t.Helper()
	server := s.URL(t)
	name := s.copy(t)
	t.Cleanup(func() {
		if err := do(context.Background(), server, `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Error(err)
		}
	})
	return in(server, name)
}

// copy makes a database of the newest schema and returns its name.
func (s *Server) copy(t testing.TB) (name string) {
	t.Helper()
	name = fmt.Sprintf("skein_%d_%d", os.Getpid(), s.count.Add(1))
	if err := do(context.Background(), s.URL(t), fmt.Sprintf(`CREATE DATABASE %s TEMPLATE %s`, name, s.template())); err != nil {
		t.Fatal(err)
	}
	return name
}

// Empty makes a database without tables and returns its URL.
func (s *Server) Empty(t testing.TB) string {
	t.Helper()
	ctx, server := context.Background(), s.URL(t)
	name := fmt.Sprintf("skein_%d_%d", os.Getpid(), s.count.Add(1))
	if err := do(ctx, server, `CREATE DATABASE `+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := do(ctx, server, `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Error(err)
		}
	})
	return in(server, name)
}

// free is a database that no test uses; empty: there is none.
func (s *Server) free() (name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Reset != "" && len(s.unused) > 0 {
		last := len(s.unused) - 1
		name, s.unused = s.unused[last], s.unused[:last]
	}
	return name
}

// giveBack takes a database of a test that is over.
func (s *Server) giveBack(ctx context.Context, name string) error {
	if s.Reset == "" {
		return do(ctx, s.url, `DROP DATABASE `+name+` WITH (FORCE)`)
	}
	conn, err := s.Connect(ctx, in(s.url, name))
	if err != nil {
		return err
	}
	defer conn.Close(ctx) //nolint:errcheck // nothing is lost with it
	if _, err := conn.PgConn().Exec(ctx, s.Reset).ReadAll(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unused = append(s.unused, name)
	return nil
}

// URL is the server's, of its database postgres.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	s.once.Do(func() { s.err = s.start(context.Background()) })
	if s.err != nil {
		t.Fatalf("no PostgreSQL to test on: %v", s.err)
	}
	return s.url
}

func (s *Server) template() string { return fmt.Sprintf("skein_%d_template", os.Getpid()) }

func (s *Server) start(ctx context.Context) (err error) {
	if s.url = os.Getenv("SKEIN_TEST_POSTGRES"); s.url == "" {
		if s.process, err = pgserver.New("", "server"); err != nil {
			return err
		}
		if err := errors.Join(s.process.Init(ctx), s.process.Start(ctx, settings)); err != nil {
			return err
		}
		s.url = s.process.URL()
	}
	if err := do(ctx, s.url, `CREATE DATABASE `+s.template()); err != nil {
		return err
	}
	if s.Migrate == nil {
		return nil
	}
	return s.Migrate(ctx, in(s.url, s.template()))
}

// do runs statements on a database.
func do(ctx context.Context, database, sql string) error {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) //nolint:errcheck // nothing is lost with it
	_, err = conn.PgConn().Exec(ctx, sql).ReadAll()
	return err
}

// in is the URL of another database of the server.
func in(server, database string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server
	}
	u.Path = "/" + database
	return u.String()
}

// Stop ends the server of this process, which else ends with it, and removes its files.
func (s *Server) Stop() {
	s.Close()
	if s.process != nil {
		s.process.End()
	}
}
