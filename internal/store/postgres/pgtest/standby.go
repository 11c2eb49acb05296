package pgtest

import (
	"context"
	"net/url"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/pgserver"
)

// Pair is a primary that waits for a synchronous standby with each commit.
type Pair struct {
	URL  string // of an empty database on the primary
	Both string // the same, with both servers as hosts

	primary, standby *pgserver.Server
	receiver         int // the process of the standby that takes what the primary sends
}

// StartPair starts a primary and its standby, which end with the test.
func StartPair(t *testing.T) *Pair {
	t.Helper()
	ctx := t.Context()
	primary, standby := newServer(t, "primary"), newServer(t, "standby")
	replicating := map[string]string{"wal_level": "replica", "max_wal_senders": "4", "hot_standby": "on"}
	must(t, primary.Init(ctx))
	must(t, primary.Start(ctx, settings, replicating))
	must(t, standby.Run(ctx, "pg_basebackup", "-d", primary.URL(), "-D", standby.Data(), "-R", "-c", "fast", "--no-sync"))
	must(t, standby.Start(ctx, settings, replicating))
	run(t, primary.URL(), `ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`, `CREATE DATABASE pair`)
	await(t, primary.URL(), `SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'`)
	p := &Pair{
		URL: in(primary.URL(), "pair"), primary: primary, standby: standby,
		Both: "postgres://skein@/pair?host=" + url.QueryEscape(primary.Dir()+","+standby.Dir()),
	}
	p.receiver = await(t, standby.URL(), `SELECT coalesce(max(pid), 0) FROM pg_stat_wal_receiver`)
	t.Cleanup(func() { _ = syscall.Kill(p.receiver, syscall.SIGCONT) }) // it may have ended
	return p
}

// LosePrimary makes the primary answer nobody any more: it is killed, or its processes stop and
// its connections stay open.
func (p *Pair) LosePrimary(t *testing.T, kill bool) {
	t.Helper()
	if kill {
		must(t, p.primary.Kill())
		return
	}
	must(t, p.primary.Signal(syscall.SIGSTOP))
}

// Promote makes the standby take writes.
func (p *Pair) Promote(t *testing.T) {
	t.Helper()
	run(t, p.standby.URL(), `SELECT pg_promote()`)
}

// Own starts a server for one test, which may stop and kill it. Its settings beat those of the tests.
func Own(t testing.TB, more ...map[string]string) *pgserver.Server {
	t.Helper()
	p := newServer(t, "own-"+strconv.FormatInt(serial.Add(1), 10))
	must(t, p.Init(t.Context()))
	must(t, p.Start(t.Context(), append([]map[string]string{settings}, more...)...))
	return p
}

var serial atomic.Int64

// StopStandby makes the standby take nothing in any more.
func (p *Pair) StopStandby(t *testing.T) { t.Helper(); p.signal(t, syscall.SIGSTOP) }

// ResumeStandby lets it go on.
func (p *Pair) ResumeStandby(t *testing.T) { t.Helper(); p.signal(t, syscall.SIGCONT) }

func (p *Pair) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	must(t, syscall.Kill(p.receiver, s))
}

// CancelWait waits until a commit waits for the standby, and cancels that wait.
func (p *Pair) CancelWait(t *testing.T) {
	t.Helper()
	pid := await(t, p.URL, `SELECT coalesce(min(pid), 0) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
	conn, err := pgx.Connect(t.Context(), p.URL)
	must(t, err)
	defer conn.Close(t.Context()) //nolint:errcheck // nothing is lost with it
	_, err = conn.Exec(t.Context(), `SELECT pg_cancel_backend($1)`, pid)
	must(t, err)
}

func newServer(t testing.TB, name string) *pgserver.Server {
	t.Helper()
	p, err := pgserver.New("", name)
	must(t, err)
	t.Cleanup(p.End)
	return p
}

// run runs statements on a server.
func run(t *testing.T, server string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server)
	must(t, err)
	defer conn.Close(context.Background()) //nolint:errcheck // nothing is lost with it
	for _, sql := range statements {
		_, err := conn.Exec(t.Context(), sql)
		must(t, err)
	}
}

// await waits until a query of one number answers another one than zero, and returns it.
func await(t *testing.T, server, query string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server)
	must(t, err)
	defer conn.Close(context.Background()) //nolint:errcheck // nothing is lost with it
	for end := time.Now().Add(patience); n == 0; time.Sleep(time.Millisecond) {
		must(t, conn.QueryRow(t.Context(), query).Scan(&n))
		if time.Now().After(end) {
			t.Fatalf("this was to become true, and did not: %s", query)
		}
	}
	return n
}

// patience is how long a test waits for a thing that is to happen.
const patience = 20 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
