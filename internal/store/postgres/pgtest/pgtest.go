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
)

// Server is a server that makes databases for tests. The zero value starts one when the first
// is asked for.
type Server struct {
	// Migrate brings the schema of an empty database up to date. It is called once: the
	// databases of tests are copies.
	Migrate func(ctx context.Context, url string) error

	once    sync.Once
	url     string
	err     error
	process *process // nil: not ours, or not started
	count   atomic.Int64

	mu     sync.Mutex
	unused []string // databases of tests that are over; guarded by mu
}

// Database makes a database of the newest schema and returns its URL. It is dropped later.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	ctx, server := context.Background(), s.URL(t)
	name := fmt.Sprintf("skein_%d_%d", os.Getpid(), s.count.Add(1))
	if err := s.do(ctx, fmt.Sprintf(`CREATE DATABASE %s TEMPLATE %s`, name, s.template())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.drop(ctx, name); err != nil {
			t.Error(err)
		}
	})
	return in(server, name)
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
		if s.process, err = newProcess("server"); err != nil {
			return err
		}
		if err := errors.Join(s.process.initdb(ctx), s.process.start(ctx, nil)); err != nil {
			return err
		}
		s.url = s.process.url()
	}
	if err := s.do(ctx, `CREATE DATABASE `+s.template()); err != nil {
		return err
	}
	if s.Migrate == nil {
		return nil
	}
	return s.Migrate(ctx, in(s.url, s.template()))
}

// together is how many databases are dropped in one go.
const together = 16

// drop drops a database that no test uses any more, with others.
func (s *Server) drop(ctx context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unused = append(s.unused, name); len(s.unused) < together && os.Getenv("SKEIN_TEST_POSTGRES") == "" {
		return nil
	}
	for _, name := range s.unused {
		if err := s.do(ctx, `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			return err
		}
	}
	s.unused = nil
	return nil
}

// do runs a statement on the server's own database.
func (s *Server) do(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) //nolint:errcheck // nothing is lost with it
	_, err = conn.Exec(ctx, sql)
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
