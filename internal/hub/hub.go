package hub

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
)

// ErrClosed is why Attach refuses a login while the hub drains.
var ErrClosed = errors.New("hub is closed")

// Options are the choices of one hub. The zero value is usable.
type Options struct {
	OutboxBytes  int           // per session, waiting and being written; default 256 KiB; beyond it the session is closed as slow
	OutboxFrames int           // the same bound in frames; default 2,048
	MaxWaiting   int64         // bytes that wait for all sessions; default 256 MiB; beyond it those with most are closed as slow; negative: no bound
	Heartbeat    time.Duration // between pings; a peer silent for two is dropped; default 25 s

	// KickFrame encodes the frame that tells a session why it is kicked; nil: none
	// is sent. Called without locks, for each kicked session.
	KickFrame func(reason string) []byte

	// Left is told of every session that had entered, after it was taken out. Calls about
	// one client may come in any order. It may call the hub and must not wait; nil:
	// nobody is told.
	Left func(*Session)

	Now        func() time.Time      // default time.Now
	Log        *slog.Logger          // default: discarded
	Registerer prometheus.Registerer // nil: no metrics
}

func (o Options) withDefaults() Options {
	if o.OutboxBytes == 0 {
		o.OutboxBytes = 256 << 10
	}
	if o.OutboxFrames == 0 {
		o.OutboxFrames = 2048
	}
	if o.MaxWaiting == 0 {
		o.MaxWaiting = 256 << 20
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 25 * time.Second
	}
	if o.KickFrame == nil {
		o.KickFrame = func(string) []byte { return nil }
	}
	if o.Left == nil {
		o.Left = func(*Session) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// shardCount is a power of two, and large enough that two calls seldom want one lock.
const shardCount = 64

// Hub is the sessions of this node. Safe for concurrent use.
type Hub struct {
	opts   Options
	seed   maphash.Seed
	shards [shardCount]shard
	filter filter
	queues []queue // one for each goroutine that the machine runs at once; several shards share one

	clock   atomic.Int64 // skein.Millis of the last sweep, for uses where half a second does not matter
	closing atomic.Bool  // set once; Attach reads it under shard.mu

	entered atomic.Int64 // the number of the session that entered last; see New

	stop     context.CancelFunc // ends the sweeper
	sweeping sync.WaitGroup

	slow    atomic.Int64 // sessions closed as slow
	dropped atomic.Int64 // frames dropped with them

	relieved []*Session // closed by the last sweep because too much waited for them; owned by the sweeper
	pressure share.Warning
}

// New starts a hub; Close ends it.
func New(opts Options) *Hub {
	h := &Hub{opts: opts.withDefaults(), seed: maphash.MakeSeed(), filter: newFilter()}
	now := h.now()
	h.clock.Store(int64(now))
	h.entered.Store(1) // so that Newest is never zero, which in an Except says nothing of numbers
	h.queues = make([]queue, runtime.GOMAXPROCS(0))
	for i := range h.queues {
		h.queues[i].init(1)
	}
	for i := range h.shards {
		h.shards[i].init(h, &h.queues[i%len(h.queues)], now)
	}
	if opts.Registerer != nil {
		opts.Registerer.MustRegister(h.collectors()...)
	}
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	h.sweeping.Go(func() { h.sweepUntil(ctx) })
	return h
}

// Heartbeat is the time between two pings of a session.
func (h *Hub) Heartbeat() time.Duration { return h.opts.Heartbeat }

// Online reports whether the client has a session on this node.
func (h *Hub) Online(app, client string) bool {
	who := address{app, client}
	sh := h.shardOf(who)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.sessions[who] != nil
}

// Attached reports whether the client has the session on this node.
func (h *Hub) Attached(app, client, session string) bool {
	who := address{app, client}
	sh := h.shardOf(who)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.sessionOf(who, session) != nil
}

// Newest numbers the sessions of this node: those that enter later have greater numbers. It is never
// zero.
func (h *Hub) Newest() int64 { return h.entered.Load() }

// SessionsByApp counts the sessions of each app on this node.
func (h *Hub) SessionsByApp() map[string]int {
	all := make(map[string]int)
	for i := range h.shards {
		sh := &h.shards[i]
		sh.mu.RLock()
		for app, n := range sh.apps {
			all[app] += n
		}
		sh.mu.RUnlock()
	}
	return all
}

// Sessions counts the sessions on this node.
func (h *Hub) Sessions() int {
	n := 0
	for i := range h.shards {
		sh := &h.shards[i]
		sh.mu.RLock()
		n += sh.count
		sh.mu.RUnlock()
	}
	return n
}

func (h *Hub) now() skein.Millis { return skein.MillisOf(h.opts.Now()) }
