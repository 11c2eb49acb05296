// Package webhooks posts what happened in an app to the endpoints of the app. Service has the use
// cases of operators; Deliverer makes the calls, on one node at a time, under a lease.
//
// An endpoint is a place in the feed of the store. Everything before it was delivered, or is a failed
// delivery in the store, which is tried again by a schedule. An endpoint that answers nothing at all
// stays where it is until it answers again: so an outage of a receiver stores no rows. The place and the failed deliveries are
// stored in one transaction after the calls; what a crash interrupts is delivered once more. See docs/decisions/0038.
package webhooks

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/feed"
	"github.com/skein-im/skein/internal/store"
)

// leaseName is the lease of the node that delivers.
const leaseName = "webhooks"

// Schedule is how long after each failed attempt the next one follows: 75 hours in all.
var Schedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// maxFailing is how long every call of an endpoint may fail before it is disabled.
const maxFailing = 75 * time.Hour

// DelivererOptions configure a Deliverer.
type DelivererOptions struct {
	Store  Store
	Runner *feed.Runner
	Client Client
	Zone   *time.Location // of times in events; nil: UTC
	// SignLinks signs the links to uploads in an event of an app whose files are private; nil: no app's are.
	SignLinks  func(ctx context.Context, app string, json []byte) []byte
	Now        func() time.Time      // nil: time.Now
	Log        *slog.Logger          // nil: no log
	Registerer prometheus.Registerer // nil: no metrics
	Schedule   []time.Duration       // nil: Schedule
	Probe      time.Duration         // longest time between probes of an endpoint whose last call failed; zero: a minute
}

// Deliverer delivers events. Safe for concurrent use.
type Deliverer struct {
	opts    DelivererOptions
	caller  caller
	build   *builder
	pages   *pages
	metrics metrics
	changed chan struct{} // an endpoint was changed on this node
}

// NewDeliverer is a Deliverer.
func NewDeliverer(o DelivererOptions) *Deliverer {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.SignLinks == nil {
		o.SignLinks = func(_ context.Context, _ string, json []byte) []byte { return json }
	}
	if o.Schedule == nil {
		o.Schedule = Schedule
	}
	if o.Probe == 0 {
		o.Probe = time.Minute
	}
	return &Deliverer{
		opts: o, caller: caller{o.Client, o.Now}, build: &builder{store: o.Store, zone: o.Zone, now: o.Now, sign: o.SignLinks},
		pages: newPages(o.Store), metrics: newMetrics(o.Registerer), changed: make(chan struct{}, 1),
	}
}

// Wake tells that this node committed something. It does not block.
func (d *Deliverer) Wake() { d.pages.Wake() }

// Changed tells that an endpoint was changed on this node. It does not block.
func (d *Deliverer) Changed() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// Run delivers while this node has the lease, until ctx ends.
func (d *Deliverer) Run(ctx context.Context) {
	d.opts.Runner.Alone(ctx, leaseName, d.hold)
}

// Periods of the holder of the lease.
const (
	lookEvery  = time.Second            // at the endpoints
	keepEvery  = 250 * time.Millisecond // what was done
	moveEvery  = 30 * time.Second       // the place of an endpoint that gets nothing
	keepBudget = 2 * time.Second        // of the last write, when the lease ends
)

// hold delivers under a lease.
func (d *Deliverer) hold(ctx context.Context, l store.Lease) {
	var running sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	h := &holder{Deliverer: d, lease: l, running: &running, endpoints: map[string]*endpoint{}}
	defer func() {
		stop()
		running.Wait()
		last, done := context.WithTimeout(context.WithoutCancel(ctx), keepBudget)
		defer done()
		_ = h.keep(last) // what is not stored is delivered again
		d.metrics.states.Reset()
		d.metrics.lag.Set(0)
		d.metrics.waiting.Set(0)
	}()
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	var looked time.Time // at the endpoints
	for ctx.Err() == nil {
		if time.Since(looked) >= lookEvery {
			h.look(ctx)
			looked = time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-d.changed:
			looked = time.Time{}
		case <-tick.C:
			if err := h.keep(ctx); errors.Is(err, store.ErrLeaseLost) {
				return
			} else if err != nil && ctx.Err() == nil {
				d.opts.Log.Warn("what webhooks delivered could not be stored; it is tried again", slog.Any("error", err))
			}
		}
	}
}

// holder is a Deliverer with the lease. One goroutine owns it.
type holder struct {
	*Deliverer

	lease     store.Lease
	running   *sync.WaitGroup
	endpoints map[string]*endpoint
}

// look reads the endpoints, starts those that are new or were changed, stops those that are gone, and sets the gauges.
func (h *holder) look(ctx context.Context) {
	all, err := h.opts.Store.Webhooks(ctx, "")
	if err != nil {
		if ctx.Err() == nil {
			h.opts.Log.Warn("webhooks could not be read; it is tried again", slog.Any("error", err))
		}
		return
	}
	seen := make(map[string]bool, len(all))
	disabled := 0
	for _, e := range all {
		seen[e.ID] = true
		h.bring(ctx, e)
		if !e.Enabled && h.endpoints[e.ID] == nil {
			disabled++
		}
	}
	for id, e := range h.endpoints {
		if !seen[id] {
			e.stop()
			delete(h.endpoints, id)
		}
	}
	h.measure(disabled)
}

// bring starts the endpoint if it does not run, and anew if it was changed. What fails is tried again at the next look.
func (h *holder) bring(ctx context.Context, stored store.Endpoint) {
	running := h.endpoints[stored.ID]
	if running != nil && running.outdated(stored) {
		var ok bool
		if stored, ok = h.end(ctx, running); !ok {
			return
		}
		running = nil
	}
	if running == nil && stored.Enabled {
		h.begin(ctx, stored)
	}
}

// measure sets the gauges, from the endpoints that run and how many others there are, which are disabled.
func (h *holder) measure(disabled int) {
	states := map[string]int{"up": 0, "failing": 0, "disabled": disabled}
	lag, waiting := 0.0, 0
	for _, e := range h.endpoints {
		state, age, n := e.state(h.opts.Now())
		states[state]++
		lag, waiting = max(lag, age), waiting+n
	}
	for state, n := range states {
		h.metrics.states.WithLabelValues(state).Set(float64(n))
	}
	h.metrics.lag.Set(lag)
	h.metrics.waiting.Set(float64(waiting))
}

// begin starts an endpoint, unless its failed deliveries cannot be read.
func (h *holder) begin(ctx context.Context, of store.Endpoint) {
	failed, err := h.opts.Store.FailedDeliveries(ctx, of.ID, store.FailedQuery{Limit: 2 * skein.MaxFailedDeliveries})
	if err != nil {
		return
	}
	e := newEndpoint(h.Deliverer, of, failed)
	h.endpoints[of.ID] = e
	ctx, e.cancel = context.WithCancel(ctx)
	e.running.Go(func() { e.follow(ctx) })
	e.running.Go(func() { e.retry(ctx) })
	h.running.Go(e.running.Wait)
}

// end stops an endpoint, stores what it did, and returns it as it is stored now. ok is false where that fails, or the endpoint is gone.
func (h *holder) end(ctx context.Context, e *endpoint) (stored store.Endpoint, ok bool) {
	e.stop()
	if err := h.keep(ctx); err != nil {
		return stored, false
	}
	delete(h.endpoints, e.ID)
	all, err := h.opts.Store.Webhooks(ctx, e.App)
	i := slices.IndexFunc(all, func(o store.Endpoint) bool { return o.ID == e.ID })
	if err != nil || i < 0 {
		return stored, false
	}
	return all[i], true
}

// keep stores what was done since the last time.
func (h *holder) keep(ctx context.Context) error {
	var done []store.WebhookWork
	var of []*endpoint
	for _, e := range h.endpoints {
		if w, worked := e.take(); worked {
			done, of = append(done, w), append(of, e)
		}
	}
	if len(done) == 0 {
		return nil
	}
	err := h.opts.Store.KeepWebhooks(ctx, h.lease, done)
	for i, e := range of {
		e.kept(done[i], err)
	}
	return err
}

// jittered is a time and up to a tenth more, so that what failed together does not come back together.
func jittered(d time.Duration) time.Duration {
	return d + time.Duration(rand.Int64N(int64(d)/10+1)) //nolint:gosec // it need not be secret
}
