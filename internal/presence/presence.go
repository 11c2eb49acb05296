// Package presence tells the sessions of this node that asked who of their clients is
// online, on whichever node, and keeps when a client was last online. It knows no socket.
//
// It sends the current state as the store's sessions have it, never a past event. So it
// may be told of logins and logouts late, twice or in any order.
//
// # Lock order
//
// Presence.mu, then news.mu or a lock of the hub; the store is asked under none of them.
// Came, Left and Ended take news.mu alone, so no login waits for a turn.
package presence

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
)

// Sessions are those of this node's hub.
type Sessions interface {
	// Attached reports whether the session is there.
	Attached(app, client, session string) bool
	// DeliverTo queues a frame for one session and does not wait.
	DeliverTo(app, client, session string, frame []byte) bool
}

// Apps knows the settings of apps as they are now.
type Apps interface {
	App(ctx context.Context, id string) (*skein.App, error)
}

// Store keeps when clients were last online.
type Store interface {
	Clients(ctx context.Context, app string, q skein.ClientQuery) (skein.ClientPage, error)
	MarkSeen(ctx context.Context, seen []skein.Sighting) error
}

// Options are the parts presence works with, and its choices.
type Options struct {
	Sessions Sessions
	// Online is what clients are online with, on any node; who is not has no entry. It
	// may wait.
	Online func(ctx context.Context, app string, clients []string) (map[string]skein.DeviceSet, error)
	Apps   Apps
	Store  Store

	// Recheck is how many of the watched clients each turn looks at although nothing was
	// heard of them, so that a lost event does no harm; zero: none, where none can be lost.
	Recheck int

	Turn       time.Duration // between two looks at what changed; default 1 s
	Grace      time.Duration // a session that comes back within it was never away; default 2 s
	MaxWatches int           // clients that are watched, over all sessions; default 500,000, of at most 300 bytes each; an app has a share of them, beyond which it is refused

	Now        func() time.Time      // default time.Now
	Registerer prometheus.Registerer // nil: no metrics
}

func (o Options) withDefaults() Options {
	if o.Turn == 0 {
		o.Turn = time.Second
	}
	if o.Grace == 0 {
		o.Grace = 2 * time.Second
	}
	if o.MaxWatches == 0 {
		o.MaxWatches = 500_000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// address is a client of an app.
type address struct{ app, client string }

// Presence is who is online. Safe for concurrent use.
type Presence struct {
	opts    Options
	metrics metrics
	news    news
	limit   *share.Pool // of watches, by app

	mu        sync.Mutex
	watches   watches      // guarded by mu
	sightings sightings    // guarded by mu
	doubt     skein.Millis // until when the store may lack sessions; guarded by mu

	cancel  context.CancelFunc
	running sync.WaitGroup
}

// New starts presence; Close ends it.
func New(opts Options) *Presence {
	p := &Presence{opts: opts.withDefaults(), watches: newWatches()}
	p.limit = share.New(int64(p.opts.MaxWatches))
	p.metrics.init(opts.Registerer, p)
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.running.Go(func() { p.run(ctx) })
	return p
}

// Close tells nobody any more, and keeps the last sightings until ctx ends.
func (p *Presence) Close(ctx context.Context) {
	p.cancel()
	p.running.Wait()
	p.keepAll(ctx)
}

// Came is told that the client has a session more, on some node.
func (p *Presence) Came(app, client string) {
	if p.news.watching.Load() != 0 {
		p.news.came(address{app, client})
	}
}

// Left is told that the client has a session less; last: it has none any more. With here
// this node keeps when that was.
func (p *Presence) Left(app, client string, last, here bool) {
	if last && here || p.news.watching.Load() != 0 {
		p.news.left(address{app, client}, skein.MillisOf(p.opts.Now()), last, here)
	}
}

// Doubt is told that the store lost sessions, and that their nodes enter them again within
// a time. Until then nobody is told that a client went offline.
func (p *Presence) Doubt(within time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doubt = skein.MillisOf(p.opts.Now()).Add(within)
}

// Ended is told that a session of this node is over: it is told nothing any more.
func (p *Presence) Ended(session string) {
	if p.news.watching.Load() != 0 {
		p.news.ended(session)
	}
}

// Of says which of the clients are online now; an unknown one is not. Errors:
// skein.ErrForbidden to a client where the app hides it; those of the store.
func (p *Presence) Of(ctx context.Context, by skein.Actor, clients []string) ([]skein.Presence, error) {
	if hidden(by) {
		return nil, skein.ErrForbidden
	}
	online, err := p.opts.Online(ctx, by.App.ID, clients)
	if err != nil {
		return nil, err
	}
	list := make([]skein.Presence, 0, len(clients))
	for _, client := range clients {
		list = append(list, skein.Presence{Client: client, Devices: online[client]})
	}
	return list, p.lastSeen(ctx, by, list)
}

// Subscribe tells the caller's session from now on what changes about the clients,
// instead of those it named before, and answers as Of. No client may be named twice.
// Errors: as Of; skein.ErrForbidden to a caller without a session; skein.ErrUnavailable
// when too many are watched already.
func (p *Presence) Subscribe(ctx context.Context, by skein.Actor, clients []string) ([]skein.Presence, error) {
	if hidden(by) || by.Session == "" {
		return nil, skein.ErrForbidden
	}
	online, err := p.opts.Online(ctx, by.App.ID, clients)
	if err != nil {
		return nil, err
	}
	list, err := p.watch(subscriber{by.App.ID, by.Client, by.Session}, clients, online)
	if err != nil {
		return nil, err
	}
	if err := p.lastSeen(ctx, by, list); err != nil {
		return nil, err
	}
	p.noteSeen(by.App.ID, list)
	return list, nil
}

func hidden(by skein.Actor) bool { return !by.Server() && by.App.Settings.HidePresence }

// watch replaces the list of a session by clients that were online a moment ago. What
// changed since then and was not noted, the next turn sees, which looks at all of them.
// The end of the session may have been told already, so the hub is asked for the session
// after its list is in.
func (p *Presence) watch(who subscriber, clients []string, online map[string]skein.DeviceSet) ([]skein.Presence, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	more := len(clients) - p.watches.of(who)
	if more > 0 && !p.limit.Take(who.app, int64(more), 0) {
		return nil, &skein.Fault{Err: skein.ErrUnavailable, Detail: "too many clients are watched"}
	}
	p.hear() // a client that left lately is in its grace
	p.news.watching.Add(int64(len(clients)))
	list, before := p.watches.replace(who, clients, func(t *target, told skein.DeviceSet) skein.DeviceSet {
		return p.visible(t, told, online[t.client])
	})
	if more < 0 {
		p.limit.Give(who.app, int64(-more))
	}
	p.news.watching.Add(-int64(before))
	if !p.opts.Sessions.Attached(who.app, who.client, who.session) {
		p.drop(who.session)
	}
	return list, nil
}

// drop forgets the list of a session. mu is held.
func (p *Presence) drop(session string) {
	app, n := p.watches.drop(session)
	p.news.watching.Add(-int64(n))
	p.limit.Give(app, int64(n))
}

// visible is what a session is told of a client that is online so, and of which it was
// told before: a device that left counts as online for a while. mu is held.
func (p *Presence) visible(t *target, told, online skein.DeviceSet) skein.DeviceSet {
	if p.inGrace(t) {
		online |= told
	}
	return online
}

// inGrace reports whether a device that left may still come back unnoticed. mu is held.
func (p *Presence) inGrace(t *target) bool {
	return t.left != 0 && skein.MillisOf(p.opts.Now()) < t.left.Add(p.opts.Grace) || p.inDoubt()
}

// inDoubt reports whether the store may lack sessions. mu is held.
func (p *Presence) inDoubt() bool { return skein.MillisOf(p.opts.Now()) < p.doubt }
