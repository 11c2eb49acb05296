// Package node connects this process with the other nodes of an installation. It enters
// the sessions of the hub into the store's sessions, removes them when they end, and renews
// the lease that keeps them there. It ends sessions of this node when a newer login
// displaces them, or when a ban, a forced logout or a deletion cuts them, on whatever node
// that happens. It knows no socket.
//
// A node learns of cuts and displaced sessions from the bus. If the bus loses an event, the
// node reads it from the store at most one second later.
package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/share"
	"github.com/skein-im/skein/internal/store"
)

// Store is the part of the store that a node uses.
type Store interface {
	store.Sessions
	// CutsSince: see store.Clients.
	CutsSince(ctx context.Context, after store.Watermark, limit int) ([]skein.Cut, store.Watermark, error)
}

// Presence is called for every client whose sessions changed, on any node.
type Presence interface {
	// Came says that a session of the client began. here: on this node.
	Came(app, client string, here bool)
	// Left says that a session ended. last: the client has no other session. here: this
	// node announced it; for each end of a session exactly one node does.
	Left(app, client string, last, here bool)
	// Doubt says that the store lost sessions, which their nodes enter again within a time.
	Doubt(within time.Duration)
}

// Options configure a Node.
type Options struct {
	Name     string // of this process; never used by another process
	Store    Store
	Hub      *hub.Hub
	Bus      bus.Bus // nil: this is the only node
	Presence Presence

	// Forget drops what this node caches of a client; nil: it caches nothing.
	Forget func(app, client string)

	// Patience is how long the node keeps its sockets while the store does not answer; default
	// 30 s. Then it closes them with hub.CloseElsewhere over about dismissBeats beats.
	Patience time.Duration

	Beat  time.Duration // how often the node asks the store; default 1 s
	Lease time.Duration // without a renewal for that long, its sessions end for the other nodes; default 5 s

	Now        func() time.Time      // default time.Now
	Log        *slog.Logger          // default: discarded
	Registerer prometheus.Registerer // nil: no metrics
}

func (o Options) withDefaults() Options {
	if o.Forget == nil {
		o.Forget = func(string, string) {}
	}
	if o.Beat == 0 {
		o.Beat = time.Second
	}
	if o.Lease == 0 {
		o.Lease = 5 * time.Second
	}
	if o.Patience == 0 {
		o.Patience = 30 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Node is this process among the nodes. Safe for concurrent use.
type Node struct {
	opts    Options
	metrics metrics
	trouble share.Warning
	live    atomic.Int64 // how many nodes there are, as the store last said

	renewing sync.Mutex // held while the lease is renewed and lost sessions are entered again
	failed   bool       // the last renewal; guarded by renewing
	spare    time.Time  // until then no node is expired; guarded by renewing

	mu      sync.Mutex
	leaving []store.Session // ended, but still in the store; guarded by mu
	wake    chan struct{}   // has an element when leaving is not empty

	watermark store.Watermark // of the cuts that were applied; owned by run
	answered  time.Time       // when the store last answered a renewal; owned by run
	dismiss   int             // sessions to dismiss each beat; zero: patience has not ended; owned by run

	unsubscribe func()
	cancel      context.CancelFunc
	running     sync.WaitGroup
}

// New starts a node. When it returns the node has its lease. ctx bounds only the start.
// The caller must call Close.
func New(ctx context.Context, opts Options) (*Node, error) {
	n := &Node{opts: opts.withDefaults(), wake: make(chan struct{}, 1)}
	n.metrics.init(opts.Registerer, n.Live)
	_, _, err := n.opts.Store.RenewNode(ctx, n.opts.Name, n.opts.Lease)
	if err != nil {
		return nil, err
	}
	if err := n.count(ctx); err != nil {
		return nil, err
	}
	if _, n.watermark, err = n.opts.Store.CutsSince(ctx, 0, 1); err != nil {
		return nil, err
	}
	n.unsubscribe = func() {}
	if n.opts.Bus != nil {
		n.unsubscribe = n.opts.Bus.Subscribe(n.receive)
	}
	n.answered = n.opts.Now()
	running, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	n.running.Go(func() { n.run(running) })
	return n, nil
}

// Close ends the node's goroutine and its subscription. It removes the ended sessions from
// the store, until ctx ends.
func (n *Node) Close(ctx context.Context) {
	n.unsubscribe()
	n.cancel()
	n.running.Wait()
	n.removeEnded(ctx)
}

// run calls beat at every tick, and removes sessions from the store when they end.
func (n *Node) run(ctx context.Context) {
	ticker := time.NewTicker(n.opts.Beat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
			n.removeEnded(ctx)
		case <-ticker.C:
			n.beat(ctx)
		}
	}
}

// beat renews the lease, expires the sessions of dead nodes, applies the cuts that the bus
// may have lost, and counts the nodes.
func (n *Node) beat(running context.Context) {
	ctx, cancel := context.WithTimeout(running, n.opts.Lease)
	defer cancel()
	began := n.opts.Now()
	lost := n.renew(ctx)
	err := errors.Join(lost, n.expire(ctx), n.applyNewCuts(ctx), n.count(ctx))
	if lost == nil {
		n.answered, n.dismiss = began, 0
	} else if running.Err() == nil {
		n.endPatience()
	}
	if err != nil && running.Err() == nil {
		n.trouble.Log(n.opts.Log, n.opts.Now(), "the store did not answer this node: other nodes may treat its sessions as ended", slog.Any("error", err))
	}
	n.removeEnded(ctx) // those that could not be removed before
}

// dismissBeats is over how many beats the sessions of a node without a store are dismissed, so
// that they do not all come to the other nodes at once; leastDismissed is how many go in a beat
// at least.
const (
	dismissBeats   = 10
	leastDismissed = 100
)

// endPatience dismisses some sessions if the store has not answered for longer than Patience.
func (n *Node) endPatience() {
	away := n.opts.Now().Sub(n.answered)
	if away < n.opts.Patience {
		return
	}
	if n.dismiss == 0 {
		all := n.opts.Hub.Sessions()
		n.dismiss = max(leastDismissed, all/dismissBeats)
		n.opts.Log.Warn("the store is away for longer than --patience: closing the sockets with 1012",
			slog.Duration("away", away.Round(time.Millisecond)), slog.Int("sessions", all))
	}
	n.metrics.dismissed.Add(float64(n.opts.Hub.Dismiss(n.dismiss)))
}

// renew renews the lease and ends the sessions that were displaced. If the store has lost
// the node's sessions, renew enters them again. The lease may have expired, or the whole
// table is empty, as after a crash of the database: then it lacks the sessions of other
// nodes too until they notice, so presence is warned.
func (n *Node) renew(ctx context.Context) error {
	n.renewing.Lock()
	defer n.renewing.Unlock()
	displaced, held, err := n.opts.Store.RenewNode(ctx, n.opts.Name, n.opts.Lease)
	if err != nil {
		n.failed = true
		return err
	}
	if n.failed || !held {
		n.failed, n.spare = false, n.opts.Now().Add(n.opts.Lease)
	}
	for _, d := range displaced {
		n.opts.Hub.KickSession(d.App, d.Client, d.ID, d.Reason)
	}
	if held {
		return nil
	}
	n.opts.Presence.Doubt(n.opts.Lease)
	return n.enterAgain(ctx)
}

// enterAgain enters all sessions of this node with the generations they had.
func (n *Node) enterAgain(ctx context.Context) error {
	all := n.opts.Hub.Entered()
	if len(all) == 0 {
		return nil
	}
	n.metrics.lost.Inc()
	n.opts.Log.Warn("the lease of this node had expired: entering its sessions again", slog.Int("sessions", len(all)))
	var errs []error
	for _, s := range all {
		l := store.Login{Session: n.sessionOf(s)}
		as, err := n.opts.Store.EnterSession(ctx, l)
		if superseded, ok := errors.AsType[*store.Superseded](err); ok {
			n.opts.Hub.KickSession(l.App, l.Client, l.ID, superseded.Reason)
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !n.opts.Hub.Attached(l.App, l.Client, l.ID) {
			n.leave(l.Session) // it ended meanwhile, perhaps before EnterSession
		}
		n.announceCame(l.App, l.Client, as.Displaced)
	}
	return errors.Join(errs...)
}

// expire removes the sessions of nodes whose lease has expired. After the store was away
// it first gives the other nodes one lease to renew theirs: the store was away for them too.
func (n *Node) expire(ctx context.Context) error {
	if n.storeWasAway() {
		return nil
	}
	left, err := n.opts.Store.ExpireNodes(ctx)
	n.announceLeft(left)
	return err
}

// count asks the store how many nodes renewed their lease in the last beat, and a quarter of
// one for those that are late.
func (n *Node) count(ctx context.Context) error {
	live, err := n.opts.Store.CountNodes(ctx, n.opts.Lease-n.opts.Beat*5/4)
	if err != nil || live < n.Live() && n.storeWasAway() {
		return err
	}
	n.live.Store(int64(max(live, 1)))
	return nil
}

// Live is how many nodes there are, this one included. A node that was killed is counted for at
// most a beat and a quarter, and a beat until this node asks again. Without the store it is the
// last known number.
func (n *Node) Live() int { return int(n.live.Load()) }

// storeWasAway reports whether the other nodes may not have had the time to renew their leases
// since the store was away.
func (n *Node) storeWasAway() bool {
	n.renewing.Lock()
	defer n.renewing.Unlock()
	return n.failed || n.opts.Now().Before(n.spare)
}

// cutsAtOnce is how many cuts are read with one call.
const cutsAtOnce = 500

// applyNewCuts applies the cuts after the watermark.
func (n *Node) applyNewCuts(ctx context.Context) error {
	for {
		cuts, next, err := n.opts.Store.CutsSince(ctx, n.watermark, cutsAtOnce)
		if err != nil {
			return err
		}
		for _, c := range cuts {
			n.applyCut(c)
		}
		n.watermark = next
		if len(cuts) < cutsAtOnce {
			return nil
		}
	}
}

// applyCut ends the sessions of this node whose login was authenticated before the cut. It
// drops the cache of the client first: a login that is not attached yet is checked again
// after it is attached, and that check must see the cut.
func (n *Node) applyCut(c skein.Cut) {
	n.opts.Forget(c.App, c.Client)
	n.opts.Hub.Kick(hub.Target{App: c.App, Client: c.Client, Device: c.Device, Rev: c.Rev}, c.Reason)
}

// Cut applies a cut on all nodes.
func (n *Node) Cut(c skein.Cut) {
	n.applyCut(c)
	if n.opts.Bus != nil {
		n.opts.Bus.Publish(&bus.Event{App: c.App, Cut: &c})
	}
}

// receive handles an event of another node.
func (n *Node) receive(e *bus.Event) {
	switch {
	case e.Cut != nil:
		n.applyCut(*e.Cut)
	case e.Sessions != nil:
		n.handle(e.App, e.Sessions, false)
	}
}

// handle ends the displaced sessions that are on this node, and tells presence. here: this
// node announced the event.
func (n *Node) handle(app string, s *bus.Sessions, here bool) {
	for _, d := range s.Displaced {
		n.opts.Hub.KickSession(app, s.Client, d.ID, d.Reason)
	}
	if s.Left {
		n.opts.Presence.Left(app, s.Client, s.Last, here)
	} else {
		n.opts.Presence.Came(app, s.Client, here)
	}
}

// announce handles an event on this node and publishes it to the others.
func (n *Node) announce(app string, s *bus.Sessions) {
	n.handle(app, s, true)
	if n.opts.Bus != nil {
		n.opts.Bus.Publish(&bus.Event{App: app, Sessions: s})
	}
}
