package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	process "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres"
	"github.com/skein-im/skein/internal/store/postgres/engine"
)

// TestTwoNodesWorkThroughAPoolerOfTransactions runs them on fewer connections of the server than
// they have to the pooler, so that each statement may come to another connection.
func TestAURLWithAPoolerIsReadAndConnectedTo(t *testing.T) {
	config, pooled, err := engine.Parse(startPooler(t, server.Empty(t)))
	if err != nil || !pooled {
		t.Fatalf("got pooled %v, %v; want a pooler", pooled, err)
	}
	conn, err := pgx.ConnectConfig(t.Context(), config.ConnConfig)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var n int
	if err := conn.QueryRow(t.Context(), `SELECT $1::int`, 7).Scan(&n); err != nil || n != 7 {
		t.Errorf("got %d, %v; want 7", n, err)
	}
}

func TestTwoNodesWorkThroughAPoolerOfTransactions(t *testing.T) {
	pooled := startPooler(t, server.Empty(t))
	var nodes [2]store.Store
	for i := range nodes {
		s, err := postgres.Open(t.Context(), postgres.Options{URL: pooled})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		nodes[i] = s
	}
	r := &race{T: t, ctx: t.Context(), nodes: nodes, ids: new(atomic.Uint64)}
	r.must(nodes[0].CreateApp(r.ctx, skein.App{ID: "shop"}))
	_, err := nodes[0].CreateClients(r.ctx, "shop", []skein.Client{{ID: "ann"}, {ID: "bob"}, {ID: "cat"}})
	r.must(err)
	for name, run := range races {
		t.Run(name, func(t *testing.T) {
			r := &race{T: t, ctx: t.Context(), nodes: nodes, ids: r.ids}
			run(r)
		})
	}
	conv := r.group(skein.Group, "ann", "bob")
	page, err := nodes[0].Sync(r.ctx, "shop", "cat", skein.SyncCursor{}, 10)
	r.must(err)
	for i := range 10 {
		node := nodes[i%2]
		r.aboutOneRow(node, conv, page.Next)
		_, held, err := node.RenewNode(r.ctx, "n", time.Minute)
		r.must(err)
		id := fmt.Sprint("s", i)
		as, err := node.EnterSession(r.ctx, store.Login{Session: store.Session{App: "shop", Client: "ann", Device: "phone", ID: id, Node: "n"}})
		r.must(err)
		if i > 0 && (!held || len(as.Displaced) != 1) {
			t.Errorf("login %d: the node has its lease: %v, displaced %v; want the one before", i, held, as.Displaced)
		}
	}
}

// startPooler starts PgBouncer in front of a database and returns its URL.
func startPooler(t *testing.T, database string) string {
	t.Helper()
	bin, err := process.LookPath("pgbouncer")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("pgbouncer is missing: scripts/install.sh installs it")
		}
		t.Skip("pgbouncer is not installed; scripts/install.sh installs it")
	}
	config, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	dir, err := os.MkdirTemp("", "skein-pooler")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ini := filepath.Join(dir, "pgbouncer.ini")
	text := fmt.Sprintf(`[databases]
* = host=%s port=%d user=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
server_reset_query_always = 1
server_reset_query = DISCARD ALL
`, config.Host, config.Port, config.User, port)
	if err := os.WriteFile(ini, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := process.Command(bin, ini)
	if os.Geteuid() == 0 { // which it refuses to run as
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd.Args = []string{bin, "-u", "postgres", ini}
	}
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	u := url.URL{Scheme: "postgres", User: url.User(config.User), Host: net.JoinHostPort("127.0.0.1", port), Path: "/" + config.Database}
	u.RawQuery = "sslmode=disable&pooler=transaction"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
		if err == nil {
			_ = c.Close()
			return u.String()
		}
		if ctx.Err() != nil {
			t.Fatalf("the pooler did not start: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// freePort is a port of this machine that nobody uses now, and none of those that the kernel gives to others meanwhile.
func freePort(t *testing.T) string {
	t.Helper()
	const first, end = 61_000, 65_536
	for {
		port := strconv.Itoa(first + rand.IntN(end-first))
		if l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", port)); err == nil {
			_ = l.Close() // it has accepted nothing
			return port
		}
	}
}
