package webhooks

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Bounds of a Collector. What comes beyond them is dropped and counted.
const (
	maxReceipts = 100_000 // members whose place waits for the next turn
	maxComings  = 100_000 // clients that came or left and wait
	maxTold     = 500_000 // clients whose state was told; then all are forgotten
	askedAtOnce = 1000    // clients whose sessions are looked up in one call
)

// CollectorOptions configure a Collector.
type CollectorOptions struct {
	Store Store
	// Online is what clients are online with, on any node; one that is not has no entry.
	Online     func(ctx context.Context, app string, clients []string) (map[string]skein.DeviceSet, error)
	Turn       time.Duration         // between two writes; zero: 1 s
	Grace      time.Duration         // a client that comes and leaves within it is not told; zero: 2 s
	Now        func() time.Time      // nil: time.Now
	Log        *slog.Logger          // nil: no log
	Registerer prometheus.Registerer // nil: no metrics
}

// Collector commits to the feed what is in it for webhooks alone, and only of apps with an endpoint that names it: how far
// members have read and received, and which clients came online or went offline. It gathers what this node hears and commits it once a
// second, so a message that 1,000 members read costs some rows and not 1,000. Safe for concurrent use.
//
// Of a client that came or left it commits the state that the store has after the grace, not what happened. So a lost
// announcement or a race of two nodes may repeat a state; the last one told is the right one.
type Collector struct {
	opts    CollectorOptions
	dropped prometheus.Counter
	wanted  atomic.Pointer[map[string]wanted] // by app

	mu       sync.Mutex
	receipts map[place]skein.Position // guarded by mu
	comings  map[client]skein.Millis  // when to look at those who came or left on this node; guarded by mu
	told     map[client]bool          // who was told online or offline last, by this node; guarded by mu

	cancel  context.CancelFunc
	running sync.WaitGroup
}

// wanted is what some endpoint of an app names.
type wanted struct{ receipts, presence bool }

// client is a client of an app.
type client struct{ app, id string }

// place is a member of a conversation.
type place struct {
	client

	conv skein.ID
}

// NewCollector starts a Collector. Close ends it.
func NewCollector(o CollectorOptions) *Collector {
	if o.Turn == 0 {
		o.Turn = time.Second
	}
	if o.Grace == 0 {
		o.Grace = 2 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Collector{
		opts: o, receipts: map[place]skein.Position{}, comings: map[client]skein.Millis{}, told: map[client]bool{},
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "skein_webhook_dropped_total", Help: "Receipts and comings and goings of clients that no webhook will get: too many waited for the store.",
		}),
	}
	c.wanted.Store(&map[string]wanted{})
	if o.Registerer != nil {
		o.Registerer.MustRegister(c.dropped)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.running.Go(func() { c.run(ctx) })
	return c
}

// Close commits what was gathered, as far as ctx allows. Nothing may be told after it.
func (c *Collector) Close(ctx context.Context) {
	c.cancel()
	c.running.Wait()
	c.commit(ctx, skein.Forever)
}

func (c *Collector) run(ctx context.Context) {
	tick := time.NewTicker(c.opts.Turn)
	defer tick.Stop()
	for {
		c.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.commit(ctx, skein.MillisOf(c.opts.Now()))
		}
	}
}

// look reads what endpoints name. If that fails, what they named before holds.
func (c *Collector) look(ctx context.Context) {
	all, err := c.opts.Store.Webhooks(ctx, "")
	if err != nil {
		return
	}
	byApp := map[string]wanted{}
	for _, e := range all {
		w := byApp[e.App]
		w.receipts = w.receipts || e.Enabled && wants(e.Settings, skein.HookReceiptsUpdated)
		w.presence = w.presence || e.Enabled && (wants(e.Settings, skein.HookUsersOnline) || wants(e.Settings, skein.HookUsersOffline))
		byApp[e.App] = w
	}
	c.wanted.Store(&byApp)
}

// Tell hears what is told to the members of a conversation, of which it takes receipts. It does not block.
func (c *Collector) Tell(n skein.Notice) {
	if len(n.Positions) == 0 || !(*c.wanted.Load())[n.App].receipts {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range n.Positions {
		c.noteReceipt(place{client{n.App, p.Client}, n.Conv}, p)
	}
}

// noteReceipt keeps the furthest place of a member. The caller holds mu.
func (c *Collector) noteReceipt(at place, p skein.Position) {
	before, known := c.receipts[at]
	if !known && len(c.receipts) >= maxReceipts {
		c.dropped.Inc()
		return
	}
	p.Read, p.Received = max(p.Read, before.Read), max(p.Received, before.Received)
	c.receipts[at] = p
}

// Came hears that a session of a client began; here: on this node. It does not block.
func (c *Collector) Came(app, id string, here bool) { c.moved(client{app, id}, here) }

// Left hears that the last session of a client ended; here: this node must tell. It does not block.
func (c *Collector) Left(app, id string, here bool) { c.moved(client{app, id}, here) }

func (c *Collector) moved(who client, here bool) {
	if !(*c.wanted.Load())[who.app].presence {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !here { // another node tells its state
		delete(c.told, who)
		return
	}
	if _, known := c.comings[who]; !known && len(c.comings) >= maxComings {
		c.dropped.Inc()
		return
	}
	c.comings[who] = skein.MillisOf(c.opts.Now().Add(c.opts.Grace))
}

// commit commits receipts, and the states of clients that are due by now.
func (c *Collector) commit(ctx context.Context, now skein.Millis) {
	c.commitReceipts(ctx)
	for app, ids := range c.due(now) {
		for some := range slices.Chunk(ids, askedAtOnce) {
			if err := c.commitStates(ctx, app, some); err != nil && ctx.Err() == nil {
				c.opts.Log.Warn("who is online could not be told to webhooks; it is tried again", slog.String("app", app), slog.Any("error", err))
			}
		}
	}
}

func (c *Collector) commitReceipts(ctx context.Context) {
	c.mu.Lock()
	taken := c.receipts
	c.receipts = make(map[place]skein.Position, min(len(taken), 1000))
	c.mu.Unlock()
	for app, entries := range receiptEntries(taken) {
		err := c.opts.Store.CommitEvents(ctx, app, entries)
		if err == nil || errors.Is(err, skein.ErrUnknownApp) {
			continue
		}
		if ctx.Err() == nil {
			c.opts.Log.Warn("receipts could not be told to webhooks; it is tried again", slog.String("app", app), slog.Any("error", err))
		}
		c.mu.Lock()
		for _, e := range entries {
			for _, p := range e.Places {
				c.noteReceipt(place{client{app, p.Client}, e.Conv}, p)
			}
		}
		c.mu.Unlock()
	}
}

// receiptEntries are the entries that tell places, by app.
func receiptEntries(all map[place]skein.Position) map[string][]store.Entry {
	type talk struct {
		app  string
		conv skein.ID
	}
	byTalk := map[talk][]skein.Position{}
	for at, p := range all {
		t := talk{at.app, at.conv}
		byTalk[t] = append(byTalk[t], p)
	}
	byApp := map[string][]store.Entry{}
	for t, places := range byTalk {
		for some := range slices.Chunk(places, store.MaxEntryClients) {
			byApp[t.app] = append(byApp[t.app], store.Entry{Kind: store.EntryReceipts, App: t.app, Conv: t.conv, Places: some})
		}
	}
	return byApp
}

// due are the clients whose state is to be told by now, by app.
func (c *Collector) due(now skein.Millis) map[string][]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	byApp := map[string][]string{}
	for who, at := range c.comings {
		if at <= now {
			byApp[who.app] = append(byApp[who.app], who.id)
		}
	}
	return byApp
}

// commitStates commits which of the clients are online and which are not, as far as that is not what was told last.
func (c *Collector) commitStates(ctx context.Context, app string, ids []string) error {
	before := c.comingsOf(app, ids)
	states, err := c.opts.Online(ctx, app, ids)
	if err != nil {
		return err
	}
	online, offline := c.news(app, ids, states)
	var entries []store.Entry
	for some := range slices.Chunk(online, store.MaxEntryClients) {
		entries = append(entries, store.Entry{Kind: store.EntryOnline, App: app, Clients: some})
	}
	for some := range slices.Chunk(offline, store.MaxEntryClients) {
		entries = append(entries, store.Entry{Kind: store.EntryOffline, App: app, Clients: some})
	}
	if len(entries) > 0 {
		if err := c.opts.Store.CommitEvents(ctx, app, entries); err != nil && !errors.Is(err, skein.ErrUnknownApp) {
			return err
		}
	}
	c.settle(app, before, online, offline)
	return nil
}

// comingsOf are when the clients came or left last.
func (c *Collector) comingsOf(app string, ids []string) map[string]skein.Millis {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := make(map[string]skein.Millis, len(ids))
	for _, id := range ids {
		at[id] = c.comings[client{app, id}]
	}
	return at
}

// news are the clients whose state was not told last.
func (c *Collector) news(app string, ids []string, states map[string]skein.DeviceSet) (online, offline []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		told, known := c.told[client{app, id}]
		switch is := states[id] != 0; {
		case known && told == is:
		case is:
			online = append(online, id)
		default:
			offline = append(offline, id)
		}
	}
	return online, offline
}

// settle notes what was told. A client that came or left since is looked at again.
func (c *Collector) settle(app string, seen map[string]skein.Millis, online, offline []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, at := range seen {
		if who := (client{app, id}); c.comings[who] == at {
			delete(c.comings, who)
		}
	}
	if len(c.told) >= maxTold {
		c.told = map[client]bool{}
	}
	for _, id := range online {
		c.told[client{app, id}] = true
	}
	for _, id := range offline {
		c.told[client{app, id}] = false
	}
}
