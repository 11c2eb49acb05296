// Package natsbus carries events between nodes over NATS: over servers that run beside the
// nodes, or over one embedded in each node (see Embed). It keeps the promises of bus.Bus.
//
// An event goes to one of a fixed number of subjects, by its app and its conversation or
// client, and every node subscribes to all of them with one subscription that never
// changes. While a node is not connected it loses what others publish, and what it
// publishes is dropped: events wait nowhere, since the store has what they tell. When it is
// connected again its handlers get an event with Resync.
package natsbus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein/internal/bus"
)

// Partitions is how many subjects there are. Nodes of one installation must agree on it.
const Partitions = 256

// Bounds of what waits in this process; beyond them events are dropped and counted.
const (
	queueEvents = 65_536    // to be published
	queueBytes  = 64 << 20  // to be published
	slowEvents  = 1_000_000 // received and not handled
	slowBytes   = 256 << 20 // received and not handled
)

// Options configure a Bus.
type Options struct {
	// Servers are those of NATS, as nats:// or tls:// and host:port. Empty: Embedded.
	Servers  []string
	User     string // empty: no authentication; without a password: a token
	Password string
	TLS      *tls.Config // nil: by the scheme of Servers
	Embedded *Server     // the server in this process

	Prefix     string                // of the subjects; the same on all nodes of an installation; default "skein"
	Name       string                // of this node, for the server's operator
	Log        *slog.Logger          // default: discarded
	Registerer prometheus.Registerer // nil: no metrics
}

// Bus is the connection of one node. Safe for concurrent use.
type Bus struct {
	opts     Options
	subjects [Partitions]string
	conn     *nats.Conn
	sub      *nats.Subscription
	metrics  metrics
	queue    *queue
	writing  sync.WaitGroup

	mu       sync.RWMutex // held for reading while handlers run
	handlers map[int]func(*bus.Event)
	next     int
}

var _ bus.Bus = (*Bus)(nil)

// connectWait bounds one attempt to connect, and flushWait the first answer of a server that
// is connected.
const (
	connectWait = 2 * time.Second
	flushWait   = 10 * time.Second
)

// Connect connects a node. If no server can be reached it goes on trying in the background,
// and the bus loses everything until then. The caller must call Close. Errors: the
// credentials are refused, or the options are wrong.
func Connect(ctx context.Context, opts Options) (*Bus, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Prefix == "" {
		opts.Prefix = "skein"
	}
	b := &Bus{opts: opts, queue: newQueue(queueEvents, queueBytes), handlers: make(map[int]func(*bus.Event))}
	for i := range b.subjects {
		b.subjects[i] = opts.Prefix + "." + strconv.Itoa(i)
	}
	b.metrics.init()
	if err := b.connect(ctx); err != nil {
		return nil, err
	}
	b.metrics.register(opts.Registerer, b)
	b.writing.Go(b.write)
	return b, nil
}

// connect makes the connection and the subscription.
func (b *Bus) connect(ctx context.Context) (err error) {
	servers := strings.Join(b.opts.Servers, ",")
	b.conn, err = nats.Connect(servers, b.options(false)...)
	if refused(err) {
		return fmt.Errorf("NATS refuses the credentials: %w", err)
	}
	if err != nil {
		b.opts.Log.Warn("NATS cannot be reached: this node hears of other nodes late until it can", slog.Any("error", err))
		if b.conn, err = nats.Connect(servers, b.options(true)...); err != nil {
			return fmt.Errorf("connect to NATS: %w", err)
		}
	}
	if b.sub, err = b.conn.Subscribe(b.opts.Prefix+".*", b.receive); err == nil {
		err = b.sub.SetPendingLimits(slowEvents, slowBytes)
	}
	if err == nil && b.conn.IsConnected() {
		ctx, cancel := context.WithTimeout(ctx, flushWait)
		defer cancel()
		err = b.conn.FlushWithContext(ctx) // the server has the subscription now
	}
	if err != nil {
		b.conn.Close()
		return fmt.Errorf("subscribe to NATS: %w", err)
	}
	return nil
}

// refused reports whether the server turned the credentials down.
func refused(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked)
}

// options are those of the connection. patient: it need not succeed at once.
func (b *Bus) options(patient bool) []nats.Option {
	const beat, missed = 2 * time.Second, 2 // a dead server is noticed within 6 s
	all := []nats.Option{
		nats.Name("skein " + b.opts.Name), nats.NoEcho(), nats.Timeout(connectWait),
		nats.PingInterval(beat), nats.MaxPingsOutstanding(missed),
		nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.ReconnectJitter(250*time.Millisecond, 500*time.Millisecond),
		nats.RetryOnFailedConnect(patient), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectBufSize(-1), // events do not wait for a connection
		nats.FlusherTimeout(connectWait),
		nats.ConnectHandler(func(c *nats.Conn) {
			if patient {
				b.connected(c)
			}
		}),
		nats.ReconnectHandler(b.connected),
		nats.DisconnectErrHandler(b.disconnected),
		nats.ErrorHandler(b.failed),
	}
	if b.opts.Embedded != nil {
		all = append(all, b.opts.Embedded.inProcess()...)
	}
	return append(all, b.credentials()...)
}

// credentials say who this node is.
func (b *Bus) credentials() (all []nats.Option) {
	switch {
	case b.opts.Password != "":
		all = append(all, nats.UserInfo(b.opts.User, b.opts.Password))
	case b.opts.User != "":
		all = append(all, nats.Token(b.opts.User))
	}
	if b.opts.TLS != nil {
		all = append(all, nats.Secure(b.opts.TLS))
	}
	return all
}

// connected is called when a lost connection is back. What others published meanwhile is
// lost.
func (b *Bus) connected(*nats.Conn) {
	b.metrics.reconnects.Inc()
	b.opts.Log.Info("connected to NATS again")
	b.hear(&bus.Event{Resync: true})
}

func (b *Bus) disconnected(_ *nats.Conn, err error) {
	if err != nil {
		b.opts.Log.Warn("connection to NATS lost: this node hears of other nodes late until it is back", slog.Any("error", err))
	}
}

// failed is told of errors that belong to no call.
func (b *Bus) failed(_ *nats.Conn, sub *nats.Subscription, err error) {
	if !errors.Is(err, nats.ErrSlowConsumer) || sub == nil {
		b.opts.Log.Warn("NATS reports an error", slog.Any("error", err))
		return
	}
	b.opts.Log.Warn("events of other nodes come faster than this node handles them; some are dropped", slog.Any("error", err))
	b.hear(&bus.Event{Resync: true})
}

// Publish sends an event to all other nodes; see bus.Bus.
func (b *Bus) Publish(e *bus.Event) {
	if !b.queue.put(outgoing{b.subjectOf(e), bus.Marshal(e)}) {
		b.metrics.dropped.WithLabelValues("queue").Inc()
	}
}

// subjectOf is the subject of all events about one conversation, or about one client.
func (b *Bus) subjectOf(e *bus.Event) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(e.App))
	switch {
	case !e.Conv.IsZero():
		_, _ = h.Write(e.Conv[:])
	case e.Cut != nil:
		_, _ = h.Write([]byte(e.Cut.Client))
	case e.Sessions != nil:
		_, _ = h.Write([]byte(e.Sessions.Client))
	}
	return b.subjects[h.Sum32()%Partitions]
}

// write publishes what is queued, until the queue is closed.
func (b *Bus) write() {
	for {
		all, open := b.queue.take()
		for _, o := range all {
			if err := b.conn.Publish(o.subject, o.data); err != nil {
				b.metrics.dropped.WithLabelValues("disconnected").Inc()
				continue
			}
			b.metrics.published.Inc()
			b.metrics.publishedBytes.Add(float64(len(o.data)))
		}
		if !open {
			return
		}
	}
}

// receive handles what another node published. The events of a subject come one after the
// other.
func (b *Bus) receive(m *nats.Msg) {
	b.metrics.received.Inc()
	b.metrics.receivedBytes.Add(float64(len(m.Data)))
	e, err := bus.Unmarshal(m.Data)
	if err != nil {
		b.metrics.dropped.WithLabelValues("malformed").Inc()
		return
	}
	b.hear(e)
}

// hear calls the handlers. They share the event, since none may write to it.
func (b *Bus) hear(e *bus.Event) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, handle := range b.handlers {
		handle(e)
	}
}

// Subscribe adds a handler; see bus.Bus. stop must not be called from within a handler.
func (b *Bus) Subscribe(handle func(*bus.Event)) (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := b.next
	b.next++
	b.handlers[id] = handle
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.handlers, id)
	}
}

// Close publishes what is queued, until ctx ends, and closes the connection.
func (b *Bus) Close(ctx context.Context) {
	b.queue.close()
	stop := context.AfterFunc(ctx, b.conn.Close)
	defer stop()
	b.writing.Wait()
	if b.conn.IsConnected() {
		bounded, cancel := context.WithTimeout(ctx, flushWait)
		defer cancel()
		_ = b.conn.FlushWithContext(bounded) // what is lost is in the store
	}
	b.conn.Close()
}
