// Package engine runs transactions on PostgreSQL: which host of the database takes writes, the
// pool of connections, retries, the mapping of errors, and the notice that a commit was not
// waited for by the synchronous standby. It knows no table but those of the migrations' runner.
package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
)

// Options say where the database is and what bounds its use.
type Options struct {
	URL   string        // postgres://user:password@host:port/database?…; never logged
	Name  string        // application_name; default "skein"
	Conns int           // connections of the pool; default DefaultConns
	Limit time.Duration // statement_timeout: the longest statement; default 30 s
	// SearchTime is the longest statement of a search; default 1 s.
	SearchTime time.Duration

	Dial Dial // opens connections; nil: one that notices a lost server

	Log    *slog.Logger
	Beside bool // another process serves the database: it is not migrated; see ErrOldSchema
	Moving bool // for a migration of the store, which may open what nothing else may

	Registerer prometheus.Registerer // nil: no metrics
}

// Defaults of Options.
const (
	DefaultConns = 16
	DefaultLimit = 30 * time.Second
)

// idleLimit ends a transaction whose node was lost in the middle of it: its locks would stop
// others, and its xid would stop every cursor of the cluster. The other nodes are promised to
// go on within 5 s of the loss of a node.
const idleLimit = 4 * time.Second

// Engine is an open database. Safe for concurrent use.
type Engine struct {
	Metrics *Metrics

	pool       *pgxpool.Pool
	places     *share.Places // of the pool; see pool.go
	searchers  *share.Places
	config     *pgx.ConnConfig
	log        *slog.Logger
	searchTime time.Duration
	local      []string // settings that each transaction makes; see pooler.go
	health     *health

	closing sync.Once
	stop    context.CancelFunc // ends watch
	watched chan struct{}      // closed when watch has ended
}

// Open connects, brings the schema up to date and checks what the promises need; Close ends
// it. The context bounds only the opening.
// Errors: ErrOldSchema, ErrUnsafe.
func Open(ctx context.Context, opt Options) (*Engine, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	config, err := opt.config()
	if err != nil {
		return nil, err
	}
	metrics, err := newMetrics(opt.Registerer)
	if err != nil {
		return nil, err
	}
	h := newHealth(opt.Registerer)
	if h.dialer = opt.Dial; h.dialer == nil {
		h.dialer = dialer().DialContext
	}
	h.hosts = hostsOf(config.ConnConfig)
	config.ConnConfig.DialFunc = h.dial
	config.BeforeConnect = h.direct
	p := newProber(h, config.ConnConfig)
	if err := p.find(ctx); err != nil {
		h.unregister()
		metrics.unregister()
		return nil, Unavailable("connect", err)
	}
	h.up.Set(1)
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), config)
	if err != nil {
		p.drop()
		h.unregister()
		metrics.unregister()
		return nil, err
	}
	e := &Engine{
		Metrics: metrics, pool: pool, config: config.ConnConfig, log: opt.Log, health: h,
		places: share.NewPlaces(int(config.MaxConns), poolWeight), searchers: share.NewPlaces(searchers, 1),
		local:      opt.local(),
		searchTime: cmp.Or(opt.SearchTime, searchTime), watched: make(chan struct{}),
	}
	watching, stop := context.WithCancel(context.Background())
	e.stop = stop
	go e.watch(watching, p)
	if err := e.check(ctx, opt); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Parse reads the URL of a database. pooled says that it leads to a pooler of transactions; see
// pooler.go.
func Parse(raw string) (config *pgxpool.Config, pooled bool, err error) {
	address, pooled, err := ofPooler(raw)
	if err != nil {
		return nil, false, err
	}
	if config, err = pgxpool.ParseConfig(address); err != nil {
		return nil, false, errors.New("database: not a valid postgres:// URL") // the cause may repeat the password
	}
	if pooled {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	return config, pooled, nil
}

// config is the pool's configuration.
func (o Options) config() (*pgxpool.Config, error) {
	config, pooled, err := Parse(o.URL)
	if err != nil {
		return nil, err
	}
	if o.Conns == 0 {
		o.Conns = DefaultConns
	}
	if !strings.Contains(o.URL, "pool_max_conns=") { // the operator has decided
		config.MaxConns = int32(min(o.Conns, 1000))
	}
	config.MaxConnIdleTime = 5 * time.Minute
	config.HealthCheckPeriod = 30 * time.Second
	conn := config.ConnConfig
	if o.Name == "" {
		o.Name = "skein"
	}
	conn.ConnectTimeout = cmp.Or(conn.ConnectTimeout, connectLimit)
	if conn.ValidateConnect == nil { // the URL says nothing of target_session_attrs: a standby is of no use
		conn.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	conn.RuntimeParams["application_name"] = o.Name
	if !pooled {
		maps.Copy(conn.RuntimeParams, o.session())
	}
	conn.OnNotice = noticed
	// A caller that gives up cancels its statement and keeps the connection.
	conn.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: 5 * time.Second}
	}
	return config, nil
}

// session are the settings of a connection. Statements are short: to start other processes for
// one, or to compile it, takes longer than to run it.
func (o Options) session() map[string]string {
	return map[string]string{
		"max_parallel_workers_per_gather":     "0",
		"jit":                                 "off",
		"statement_timeout":                   strconv.FormatInt(cmp.Or(o.Limit, DefaultLimit).Milliseconds(), 10),
		"idle_in_transaction_session_timeout": strconv.FormatInt(idleLimit.Milliseconds(), 10),
	}
}

// ErrUnsafe is about a server whose settings break the promise that what was answered is
// durable.
var ErrUnsafe = errors.New("database: synchronous_commit is off, so an answered write could be lost; turn it on")

// check refuses a server that acknowledges what it has not written, and brings the schema up to
// date where it is not.
func (e *Engine) check(ctx context.Context, opt Options) error {
	newest, err := newestSchema()
	if err != nil {
		return err
	}
	var commit string
	var have int64
	var moving Migration
	err = e.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) (err error) {
		if err = c.QueryRow(ctx, `SHOW synchronous_commit`).Scan(&commit); err == nil {
			have, err = version(ctx, c.Conn())
		}
		if err == nil && !opt.Moving {
			moving, err = Migrating(ctx, c.Conn())
		}
		return err
	})
	switch {
	case err != nil:
		return Unavailable("connect", err)
	case moving.refusal() != nil:
		return moving.refusal()
	case commit == "off":
		return ErrUnsafe
	case have == newest:
		return nil
	}
	return e.bring(ctx, opt.Beside, newest)
}

// Close waits for the transactions under way and closes the connections. Later calls return
// ErrUnavailable. A second Close does nothing.
func (e *Engine) Close() error {
	e.closing.Do(func() {
		e.stop()
		<-e.watched
		e.searchers.Close()
		e.places.Close()
		e.pool.Close()
		e.health.unregister()
		e.Metrics.unregister()
	})
	return nil
}

// commitLimit bounds a commit, which may wait for a synchronous standby. The caller's
// context does not: to cancel a commit does not undo it.
const commitLimit = 30 * time.Second

// maxTries bounds how often a transaction is run again that PostgreSQL gave up for another.
const maxTries = 12

// Again runs a transaction until PostgreSQL does not give it up for another. what was attempted
// is named in errors. Errors: those of run, ErrUnavailable for an outage.
func (e *Engine) Again(ctx context.Context, what string, run func() error) error {
	for try := 1; ; try++ {
		err := run()
		if try == maxTries || !GivenUp(err) {
			return Unavailable(what, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(time.Millisecond << min(try, 6))): //nolint:gosec // only to spread them
		}
	}
}

// Config is a copy of how the engine connects.
func (e *Engine) Config() *pgx.ConnConfig { return e.config.Copy() }

// Ping reports whether the database can be read now. Errors: ErrUnavailable.
func (e *Engine) Ping(ctx context.Context) error {
	if e.Away() {
		return errAway
	}
	err := e.lend(ctx, "", e.Metrics.read, func(c *pgxpool.Conn) error { return c.Ping(ctx) })
	if err != nil {
		return fmt.Errorf("ping: %w: %w", skein.ErrUnavailable, err)
	}
	return nil
}

// PoolOf is how many connections the pool of a node with this URL may have.
func PoolOf(url string) int {
	config, err := Options{URL: url}.config()
	if err != nil {
		return DefaultConns
	}
	return int(config.MaxConns)
}
