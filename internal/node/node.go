// Package node is this process among the nodes of an installation. It enters the logins
// of its hub into the store's sessions and takes out those that ended, holds the lease
// that keeps them there, and ends the sessions that a newer login displaced or that a
// ban, a forced logout or a deletion cut, wherever that happened. It knows no socket.
//
// What ends a session comes over the bus, and a second later at the most from the store
// where the bus lost it.
package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/share"
	"github.com/skein-im/skein/internal/store"
)

// Store is what a node asks of the store.
type Store interface {
	store.Sessions
	// CutsSince is of store.Clients.
	CutsSince(ctx context.Context, after store.Watermark, limit int) ([]skein.Cut, store.Watermark, error)
}

// Presence is told of every client whose sessions changed, on any node.
type Presence interface {
	// Came says that a session of the client came.
	Came(app, client string)
	// Left says that one went; last: it was the client's only one; here: this node
	// says so, and no other does.
	Left(app, client string, last, here bool)
}

// Options are the parts a node works with, and its choices.
type Options struct {
	Name     string // of this process; no other has had it
	Store    Store
	Hub      *hub.Hub
	Bus      bus.Bus // nil: there is no other node
	Presence Presence

	// Forget drops what this node remembers of a client; nil: it remembers nothing.
	Forget func(app, client string)

	Beat  time.Duration // between two looks at the store; default 1 s
	Lease time.Duration // its sessions end for the other nodes when it has not renewed for so long; default 5 s

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
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Node is this process. Safe for concurrent use.
type Node struct {
	opts    Options
	metrics metrics
	trouble share.Warning

	renewing sync.Mutex // held while the lease is renewed and what it lost is entered again

	mu      sync.Mutex
	leaving []store.Session // ended, and not taken out of the store yet; guarded by mu
	wake    chan struct{}   // has one when leaving has

	watermark store.Watermark // of the cuts that were heard; owned by run

	unsubscribe func()
	cancel      context.CancelFunc
	running     sync.WaitGroup
}

// New starts a node, whose lease holds when it returns; Close ends it. The context
// bounds the start alone.
func New(ctx context.Context, opts Options) (*Node, error) {
	n := &Node{opts: opts.withDefaults(), wake: make(chan struct{}, 1)}
	n.metrics.init(opts.Registerer)
	if err := n.renew(ctx); err != nil {
		return nil, err
	}
	var err error
	if _, n.watermark, err = n.opts.Store.CutsSince(ctx, 0, 1); err != nil {
		return nil, err
	}
	n.unsubscribe = func() {}
	if n.opts.Bus != nil {
		n.unsubscribe = n.opts.Bus.Subscribe(n.receive)
	}
	running, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	n.running.Go(func() { n.run(running) })
	return n, nil
}

// Close hears nothing any more, and takes the sessions that ended out of the store until
// ctx ends.
func (n *Node) Close(ctx context.Context) {
	n.unsubscribe()
	n.cancel()
	n.running.Wait()
	n.sayGoodbyes(ctx)
}

// run looks at the store once a beat, and takes out sessions as they end.
func (n *Node) run(ctx context.Context) {
	ticker := time.NewTicker(n.opts.Beat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
			n.sayGoodbyes(ctx)
		case <-ticker.C:
			n.beat(ctx)
		}
	}
}

// beat renews the lease, ends what the store says is over, and hears the cuts that the
// bus may have lost.
func (n *Node) beat(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, n.opts.Lease)
	defer cancel()
	err := errors.Join(n.renew(ctx), n.expire(ctx), n.hearCuts(ctx))
	if err != nil && ctx.Err() == nil {
		n.trouble.Log(n.opts.Log, n.opts.Now(), "the store did not answer this node: others may take its sessions for ended", slog.Any("error", err))
	}
	n.sayGoodbyes(ctx) // those that could not be said before
}

// renew renews the lease. Sessions that were displaced are ended, and where the store
// has lost the node's sessions they are entered again.
func (n *Node) renew(ctx context.Context) error {
	n.renewing.Lock()
	defer n.renewing.Unlock()
	displaced, held, err := n.opts.Store.RenewNode(ctx, n.opts.Name, n.opts.Lease)
	if err != nil {
		return err
	}
	for _, d := range displaced {
		n.opts.Hub.KickSession(d.App, d.Client, d.ID, d.Reason)
	}
	if held {
		return nil
	}
	return n.enterAgain(ctx)
}

// enterAgain enters all sessions of this node with their generations.
func (n *Node) enterAgain(ctx context.Context) error {
	all := n.opts.Hub.Entered()
	if len(all) == 0 {
		return nil
	}
	n.metrics.lost.Inc()
	n.opts.Log.Warn("the lease of this node had ended: its sessions are entered again", slog.Int("sessions", len(all)))
	var errs []error
	for _, s := range all {
		l := store.Login{Session: n.sessionOf(s)}
		_, displaced, err := n.opts.Store.EnterSession(ctx, l)
		if superseded, ok := errors.AsType[*store.Superseded](err); ok {
			n.opts.Hub.KickSession(l.App, l.Client, l.ID, superseded.Reason)
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !n.opts.Hub.Attached(l.App, l.Client, l.ID) {
			n.leave(l.Session) // it ended meanwhile, perhaps before it was entered
		}
		n.announce(l.App, l.Client, displaced)
	}
	return errors.Join(errs...)
}

// expire takes out the sessions of nodes whose lease has ended.
func (n *Node) expire(ctx context.Context) error {
	left, err := n.opts.Store.ExpireNodes(ctx)
	n.bid(left)
	return err
}

// cutsAtOnce is how many cuts are read at once.
const cutsAtOnce = 500

// hearCuts obeys the cuts behind the watermark.
func (n *Node) hearCuts(ctx context.Context) error {
	for {
		cuts, next, err := n.opts.Store.CutsSince(ctx, n.watermark, cutsAtOnce)
		if err != nil {
			return err
		}
		for _, c := range cuts {
			n.obey(c)
		}
		n.watermark = next
		if len(cuts) < cutsAtOnce {
			return nil
		}
	}
}

// obey ends the sessions that a cut means: those allowed by what held before it. What is
// remembered of the client goes first, so that a login that is not attached yet, and is
// checked once more behind that, is judged by the cut.
func (n *Node) obey(c skein.Cut) {
	n.opts.Forget(c.App, c.Client)
	n.opts.Hub.Kick(hub.Target{App: c.App, Client: c.Client, Device: c.Device, Rev: c.Rev}, c.Reason)
}

// Cut ends sessions on all nodes.
func (n *Node) Cut(c skein.Cut) {
	n.obey(c)
	if n.opts.Bus != nil {
		n.opts.Bus.Publish(&bus.Event{App: c.App, Cut: &c})
	}
}

// receive handles an event of another node.
func (n *Node) receive(e *bus.Event) {
	switch {
	case e.Cut != nil:
		n.obey(*e.Cut)
	case e.Sessions != nil:
		n.hear(e.App, e.Sessions, false)
	}
}

// hear ends the sessions of this node that were displaced, and tells presence; here: this
// node says so.
func (n *Node) hear(app string, s *bus.Sessions, here bool) {
	for _, d := range s.Displaced {
		n.opts.Hub.KickSession(app, s.Client, d.ID, d.Reason)
	}
	if s.Left {
		n.opts.Presence.Left(app, s.Client, s.Last, here)
	} else {
		n.opts.Presence.Came(app, s.Client)
	}
}

// tell tells all nodes, this one first.
func (n *Node) tell(app string, s *bus.Sessions) {
	n.hear(app, s, true)
	if n.opts.Bus != nil {
		n.opts.Bus.Publish(&bus.Event{App: app, Sessions: s})
	}
}
