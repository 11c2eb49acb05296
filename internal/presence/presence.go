// Package presence knows who is online on this node, tells the sessions that asked,
// and keeps when a client was last there. It knows no socket, and nothing of other
// nodes: whose sessions are elsewhere is offline here.
//
// What is told is never an event that passed but what the hub says when it is told,
// so events may come late, twice or in any order.
//
// # Lock order
//
// Presence.mu, then news.mu or a lock of the hub. Came and Left take news.mu alone,
// so no login waits for a turn.
package presence

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
)

// Sessions are those of the hub.
type Sessions interface {
	// Devices is what a client's sessions run on; zero: it has none.
	Devices(app, client string) skein.DeviceSet
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
	Apps     Apps
	Store    Store

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
	room    *share.Pool // of watches, by app

	mu        sync.Mutex
	watches   watches   // guarded by mu
	sightings sightings // guarded by mu

	cancel  context.CancelFunc
	running sync.WaitGroup
}

// New starts presence; Close ends it.
func New(opts Options) *Presence {
	p := &Presence{opts: opts.withDefaults(), watches: newWatches()}
	p.room = share.New(int64(p.opts.MaxWatches), 1)
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

// Came is the hub's word that a session of the client was attached.
func (p *Presence) Came(app, client string) {
	if p.news.watching.Load() != 0 {
		p.news.came(address{app, client})
	}
}

// Left is the hub's word that a session is gone; last: it was the client's only one.
func (p *Presence) Left(app, client, session string, last bool) {
	watching := p.news.watching.Load() != 0
	if watching || last {
		p.news.left(address{app, client}, skein.MillisOf(p.opts.Now()), last)
	}
	if watching {
		p.news.ended(session)
	}
}

// Of is who of the clients is online now; an unknown one is not. Errors:
// skein.ErrForbidden to a client where the app hides it.
func (p *Presence) Of(ctx context.Context, by skein.Actor, clients []string) ([]skein.Presence, error) {
	if hidden(by) {
		return nil, skein.ErrForbidden
	}
	list := make([]skein.Presence, 0, len(clients))
	for _, client := range clients {
		list = append(list, skein.Presence{Client: client, Devices: p.opts.Sessions.Devices(by.App.ID, client)})
	}
	return list, p.lastSeen(ctx, by, list)
}

// Subscribe tells the caller's session from now on what changes about the clients,
// instead of those it named before, and answers as Of. The clients are all
// different. Errors: skein.ErrForbidden as Of, and to who calls without a session;
// skein.ErrUnavailable when too many are watched already.
func (p *Presence) Subscribe(ctx context.Context, by skein.Actor, clients []string) ([]skein.Presence, error) {
	if hidden(by) || by.Session == "" {
		return nil, skein.ErrForbidden
	}
	list, err := p.watch(subscriber{by.App.ID, by.Client, by.Session}, clients)
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

// watch replaces the list of a session. One that is gone by now may not be told of
// any more, so it is looked for after its list is in.
func (p *Presence) watch(who subscriber, clients []string) ([]skein.Presence, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	more := len(clients) - p.watches.of(who)
	if more > 0 && !p.room.Take(who.app, int64(more), 0) {
		return nil, &skein.Fault{Err: skein.ErrUnavailable, Detail: "too many clients are watched"}
	}
	p.hear()                                 // who left lately is still there for those who were told so
	p.news.watching.Add(int64(len(clients))) // before the look at the hub: Left is noted from here on
	list, before := p.watches.replace(who, clients, p.visible)
	if more < 0 {
		p.room.Give(who.app, int64(-more))
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
	p.room.Give(app, int64(n))
}

// visible is what a session is to know of a client whom it knew with the devices in
// told: those it lost are still there for a while. mu is held.
func (p *Presence) visible(t *target, told skein.DeviceSet) skein.DeviceSet {
	online := p.opts.Sessions.Devices(t.app, t.client)
	if p.inGrace(t) {
		online |= told
	}
	return online
}

// inGrace reports whether what the client lost may still come back. mu is held.
func (p *Presence) inGrace(t *target) bool {
	return t.left != 0 && skein.MillisOf(p.opts.Now()) < t.left.Add(p.opts.Grace)
}
