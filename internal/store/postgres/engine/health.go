package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
)

// The engine asks the database every second whether it takes writes, on a connection of its own.
// If the answer is no, or does not come, the database is away: all connections are closed, so
// that whoever waits for an answer on one fails now, and calls fail at once until a host of the
// URL takes writes again. All connections go to that host, so nobody waits for the others.
const (
	askEvery    = time.Second
	answerLimit = 5 * time.Second // for the answer to the question
)

// errAway is about a database none of whose hosts takes writes.
var errAway = fmt.Errorf("%w: the database is away", skein.ErrUnavailable)

// health is where the database is now. Safe for concurrent use.
type health struct {
	hosts   []host
	current atomic.Pointer[host] // takes writes; nil: the database is away
	dialer  Dial
	outages prometheus.Counter
	up      prometheus.Gauge

	unregister func() // the metrics

	mu    sync.Mutex
	conns map[*tracked]struct{} // open ones; guarded by mu
}

// host is one that the URL names. It has several entries if TLS is tried first and then not.
type host struct {
	name    string // host:port, or the directory of a socket
	entries []pgconn.FallbackConfig
}

// hostsOf lists the hosts of a configuration in their order.
func hostsOf(c *pgx.ConnConfig) (hosts []host) {
	entries := []*pgconn.FallbackConfig{{Host: c.Host, Port: c.Port, TLSConfig: c.TLSConfig}}
	for _, e := range append(entries, c.Fallbacks...) {
		_, name := pgconn.NetworkAddress(e.Host, e.Port)
		if n := len(hosts); n == 0 || hosts[n-1].name != name {
			hosts = append(hosts, host{name: name})
		}
		last := &hosts[len(hosts)-1]
		last.entries = append(last.entries, *e)
	}
	return hosts
}

// direct makes a configuration connect to this host alone.
func (h *host) direct(c *pgx.ConnConfig) {
	first := h.entries[0]
	c.Host, c.Port, c.TLSConfig, c.Fallbacks = first.Host, first.Port, first.TLSConfig, nil
	for i := range h.entries[1:] {
		c.Fallbacks = append(c.Fallbacks, &h.entries[i+1])
	}
}

// direct makes a configuration connect to where the database is. Errors: ErrUnavailable.
func (h *health) direct(_ context.Context, c *pgx.ConnConfig) error {
	current := h.current.Load()
	if current == nil {
		return errAway
	}
	current.direct(c)
	return nil
}

// tracked is a connection that an outage closes.
type tracked struct {
	net.Conn

	health *health
	sent   atomic.Int64 // times that something was sent
}

// Write sends what the client has gathered: all that it asks before it waits for an answer.
func (t *tracked) Write(b []byte) (int, error) {
	t.sent.Add(1)
	return t.Conn.Write(b)
}

// trackedOf is what keeps track of a connection, which may be encrypted; nil: nothing does.
func trackedOf(c *pgx.Conn) *tracked {
	raw := c.PgConn().Conn()
	if t, encrypted := raw.(interface{ NetConn() net.Conn }); encrypted {
		raw = t.NetConn()
	}
	t, _ := raw.(*tracked)
	return t
}

// Close closes the connection.
func (t *tracked) Close() error {
	t.health.mu.Lock()
	delete(t.health.conns, t)
	t.health.mu.Unlock()
	return t.Conn.Close()
}

// dial opens a connection and keeps track of it.
func (h *health) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := h.dialer(ctx, network, address)
	if err != nil {
		return nil, err
	}
	t := &tracked{Conn: c, health: h}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns[t] = struct{}{}
	return t, nil
}

// closeAll closes every connection. What was written and not yet sent is dropped: a statement
// must not arrive after its caller was told that it failed.
func (h *health) closeAll() {
	h.mu.Lock()
	all := h.conns
	h.conns = make(map[*tracked]struct{})
	h.mu.Unlock()
	for t := range all {
		if tcp, ok := t.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // it may be closed
		}
		_ = t.Conn.Close() // likewise
	}
}

// prober asks the database whether it takes writes. One goroutine at a time uses it.
type prober struct {
	*health

	config *pgx.ConnConfig
	conn   *pgx.Conn // nil: none
	next   int       // the host to try first
}

func newProber(h *health, config *pgx.ConnConfig) *prober {
	config = config.Copy()
	// Its statement is not cancelled at the server: a server that hangs would not hear of it.
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: c.Conn()}
	}
	return &prober{health: h, config: config}
}

// find connects to a host that takes writes.
func (p *prober) find(ctx context.Context) error {
	var failed []error
	for range p.hosts {
		h := &p.hosts[p.next]
		config := p.config.Copy()
		h.direct(config)
		conn, err := pgx.ConnectConfig(ctx, config)
		if err == nil {
			p.conn = conn
			p.current.Store(h)
			return nil
		}
		failed = append(failed, err)
		p.next = (p.next + 1) % len(p.hosts)
	}
	return errors.Join(failed...)
}

// ask reports whether the database takes writes. A connection may have been ended for reasons
// of its own, so that a broken one is replaced once.
func (p *prober) ask(ctx context.Context) (err error) {
	if p.conn != nil {
		if err = p.answer(ctx); err == nil {
			return nil
		}
		p.drop()
		if errors.Is(err, context.DeadlineExceeded) { // it hangs: a new connection would too
			p.next = (p.next + 1) % len(p.hosts)
			return err
		}
	}
	return p.find(ctx)
}

func (p *prober) answer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	results, err := p.conn.PgConn().Exec(ctx, `SHOW transaction_read_only`).ReadAll()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	case string(results[0].Rows[0][0]) != "off":
		return errors.New("the server takes no writes")
	}
	return nil
}

// drop closes the connection without a word to the server, which may be gone.
func (p *prober) drop() {
	if p.conn != nil {
		_ = p.conn.PgConn().Conn().Close() // nothing is lost with it
		p.conn = nil
	}
}

// end closes the connection, and says so to the server.
func (p *prober) end() {
	if p.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = p.conn.Close(ctx) // nothing is lost with it
	}
}

// watch asks until ctx ends.
func (e *Engine) watch(ctx context.Context, p *prober) {
	defer close(e.watched)
	defer p.end()
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	var since time.Time // zero: the database is not away
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		began, before := time.Now(), e.health.current.Load()
		err := p.ask(ctx)
		now := e.health.current.Load()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && since.IsZero():
			since = began
			e.log.Warn("the database is away: calls are answered 5030", slog.String("host", before.name), slog.Any("error", withoutLines(err)))
			e.health.outages.Inc()
			e.lose()
		case err == nil && !since.IsZero():
			e.log.Warn("the database is back", slog.String("host", now.name), slog.Duration("after", time.Since(since).Round(time.Millisecond)))
			since = time.Time{}
			e.health.up.Set(1)
		case err == nil && now != before:
			e.log.Warn("another host of the database takes the writes", slog.String("host", now.name), slog.String("before", before.name))
			e.health.closeAll()
			e.pool.Reset()
		}
	}
}

// lose makes every call fail, those under way too, until the database is found again.
func (e *Engine) lose() {
	e.health.current.Store(nil)
	e.health.up.Set(0)
	e.health.closeAll()
	e.pool.Reset()
}

// withoutLines puts an error about several hosts on one line of the log.
func withoutLines(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// Away reports whether the database is known to be away. It costs one load.
func (e *Engine) Away() bool { return e.health.current.Load() == nil }

// Connect opens a connection beside the pool, as config says, to where the database is.
// Errors: ErrUnavailable.
func (e *Engine) Connect(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	config = config.Copy()
	if err := e.health.direct(ctx, config); err != nil {
		return nil, err
	}
	return pgx.ConnectConfig(ctx, config)
}

// newHealth makes the health of a database and registers its metrics; nil: no metrics.
func newHealth(reg prometheus.Registerer) *health {
	h := &health{
		conns: make(map[*tracked]struct{}), unregister: func() {},
		up: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "skein_database_up", Help: "1 while a host of the database takes writes, as this node sees it.",
		}),
		outages: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "skein_database_outages_total", Help: "Times that this node found the database away.",
		}),
	}
	if reg != nil {
		reg.MustRegister(h.up, h.outages)
		h.unregister = func() { _, _ = reg.Unregister(h.up), reg.Unregister(h.outages) }
	}
	return h
}
