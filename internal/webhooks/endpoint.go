package webhooks

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Bounds of one endpoint.
const (
	downAfter = 3           // failed calls in a row; then the endpoint is down
	minPause  = time.Second // before the first probe

	// Lines of the log a second, and at once, of calls that failed and of those that did not.
	failedLines, failedBurst = 10, 100
	fineLines, fineBurst     = 2, 100
)

// endpoint is an endpoint that is being delivered to. follow and retry run in a goroutine each.
//
// It is up, or down: then nothing moves but one probe at a time, with what comes next in the feed. A call that
// fails while the endpoint is up becomes a failed delivery, and the endpoint goes on behind it.
type endpoint struct {
	store.Endpoint

	d       *Deliverer
	cancel  context.CancelFunc
	running sync.WaitGroup
	limit   *rate.Limiter
	lines   struct{ failed, fine *rate.Limiter }

	mu       sync.Mutex              // guards what follows
	failed   []*store.FailedDelivery // that wait, by Seq
	more     bool                    // there are others in the store
	last     int64                   // Seq given last
	failures int                     // calls that failed in a row
	down     bool
	probeAt  skein.Millis // when the first of failed may be tried before it is due, if the last call failed
	behind   skein.Millis // of the oldest event that is being delivered; zero: none
	touched  bool         // the work below has more than a new place
	keptAt   time.Time
	keptTo   store.FeedCursor
	put      map[int64]struct{} // Seq of failed deliveries to be stored
	dead     []store.FailedDelivery
	remove   []int64
	attempts []store.WebhookAttempt
	disable  string
	wakeUp   chan struct{} // retry must look again
}

func newEndpoint(d *Deliverer, of store.Endpoint, failed []store.FailedDelivery) *endpoint {
	perSecond := of.Settings.Rate
	if perSecond == 0 {
		perSecond = skein.DefaultWebhookRate
	}
	e := &endpoint{
		Endpoint: of, d: d, limit: rate.NewLimiter(rate.Limit(perSecond), perSecond), last: of.Failed, down: of.Failing != 0,
		more: len(failed) == 2*skein.MaxFailedDeliveries, keptTo: of.Cursor, put: map[int64]struct{}{}, wakeUp: make(chan struct{}, 1),
	}
	e.lines.failed, e.lines.fine = rate.NewLimiter(failedLines, failedBurst), rate.NewLimiter(fineLines, fineBurst)
	for i := range failed {
		e.failed = append(e.failed, &failed[i])
	}
	return e
}

// stop ends both goroutines and waits for them.
func (e *endpoint) stop() {
	e.cancel()
	e.running.Wait()
}

// state is the state of the endpoint, the age of the oldest event it has not been sent, and how many failed deliveries wait.
func (e *endpoint) state(now time.Time) (state string, age float64, waiting int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.behind != 0 {
		age = max(0, now.Sub(e.behind.Time()).Seconds())
	}
	switch {
	case e.disable != "":
		return "disabled", 0, len(e.failed)
	case e.down || e.Failing != 0:
		return "failing", age, len(e.failed)
	}
	return "up", age, len(e.failed)
}

// outdated reports whether the endpoint must be started anew: it was changed, or failed deliveries are in the
// store that this one does not know.
func (e *endpoint) outdated(now store.Endpoint) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.Rev != now.Rev || e.Replays != now.Replays || e.more && len(e.failed) == 0
}

// take is what must be stored; worked: there is something.
func (e *endpoint) take() (w store.WebhookWork, worked bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.touched && (e.Cursor == e.keptTo || time.Since(e.keptAt) < moveEvery) {
		return w, false
	}
	w = store.WebhookWork{ID: e.ID, Rev: e.Rev, Cursor: e.Cursor, Failing: e.Failing, Disable: e.disable, Remove: e.remove, Attempts: e.attempts, Put: e.dead}
	for _, f := range e.failed {
		if _, changed := e.put[f.Seq]; changed {
			w.Put = append(w.Put, *f)
		}
	}
	e.put, e.dead, e.remove, e.attempts, e.touched = map[int64]struct{}{}, nil, nil, nil, false
	return w, true
}

// kept says what became of what take answered. What could not be stored is tried again with what comes next.
func (e *endpoint) kept(w store.WebhookWork, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		e.keptAt, e.keptTo = time.Now(), w.Cursor
		return
	}
	e.touched = true
	for _, f := range w.Put {
		if f.Dead != 0 {
			e.dead = append(e.dead, f)
		} else {
			e.put[f.Seq] = struct{}{}
		}
	}
	e.remove, e.attempts = append(w.Remove, e.remove...), append(w.Attempts, e.attempts...)
}

// follow reads the feed and delivers what the endpoint wants, until ctx ends.
func (e *endpoint) follow(ctx context.Context) {
	failed := 0
	for ctx.Err() == nil {
		p, err := e.d.pages.next(ctx, e.Cursor)
		if err == nil {
			err = e.deliver(ctx, p)
		} else if isCursor(err) {
			err = e.restart(ctx)
		}
		if err == nil {
			failed = 0
			continue
		}
		if ctx.Err() == nil {
			e.d.opts.Log.Warn("a webhook could not go on; it is tried again", slog.String("webhook", e.ID), slog.Any("error", err))
		}
		wait(ctx, min(100*time.Millisecond<<min(failed, 10), 10*time.Second), nil)
		failed++
	}
}

// restart moves to the end of the feed: what comes next is kept no more, since the endpoint was disabled for
// longer than the store keeps events.
func (e *endpoint) restart(ctx context.Context) error {
	end, err := e.d.opts.Store.FeedEnd(ctx)
	if err != nil {
		return err
	}
	e.d.opts.Log.Error("a webhook was away longer than events are kept; it begins at the end of the feed", slog.String("webhook", e.ID))
	e.moved(end)
	return nil
}

func (e *endpoint) moved(to store.FeedCursor) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.Cursor, e.behind = to, 0
}

// deliver delivers a page and moves behind it. It returns an error where the page cannot be read or ctx ended.
func (e *endpoint) deliver(ctx context.Context, p *page) error {
	if !slices.ContainsFunc(p.entries, func(in store.Entry) bool { return in.App == e.App }) {
		e.moved(p.next)
		return nil
	}
	events, err := e.d.build.events(ctx, e.Webhook, p.entries)
	if err != nil {
		return err
	}
	if len(events) > 0 {
		e.mu.Lock()
		e.behind = events[0].entry.At
		e.mu.Unlock()
	}
	todo := e.plan(events)
	for {
		if err := e.room(ctx); err != nil {
			return err
		}
		e.run(ctx, todo)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if todo.empty() {
			break
		}
		if err := e.probe(ctx, todo); err != nil {
			return err
		}
	}
	e.mu.Lock()
	e.touched = e.touched || len(events) > 0
	e.mu.Unlock()
	e.moved(p.next)
	return nil
}

// room waits until there are few enough failed deliveries that another page may add to them.
func (e *endpoint) room(ctx context.Context) error {
	for {
		e.mu.Lock()
		n := len(e.failed)
		e.mu.Unlock()
		if n < skein.MaxFailedDeliveries || ctx.Err() != nil {
			return ctx.Err()
		}
		wait(ctx, time.Second, nil)
	}
}

// run delivers until all lanes are empty or the endpoint is down.
func (e *endpoint) run(ctx context.Context, p *plan) {
	var g sync.WaitGroup
	for i := range p {
		if len(p[i]) > 0 {
			g.Go(func() { p[i] = e.lane(ctx, p[i]) })
		}
	}
	g.Wait()
}

// lane delivers batches in order and returns what is left of them.
func (e *endpoint) lane(ctx context.Context, all []batch) (rest []batch) {
	for len(all) > 0 && ctx.Err() == nil {
		all[0] = e.hold(all[0])
		if b := all[0]; len(b) > 0 {
			if e.isDown() {
				break
			}
			a := e.send(ctx, b, 1)
			if ctx.Err() != nil {
				break
			}
			if !e.note(a, b) && !e.later(b, a) {
				break
			}
		}
		all = all[1:]
	}
	return all
}

func (e *endpoint) isDown() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.down
}

// probe tries the next batch of an endpoint that is down until it is delivered.
func (e *endpoint) probe(ctx context.Context, p *plan) error {
	lane := slices.IndexFunc(p[:], func(l []batch) bool { return len(l) > 0 })
	pause := min(minPause, e.d.opts.Probe)
	for {
		wait(ctx, pause, nil)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !e.isDown() { // a failed delivery was delivered meanwhile
			return nil
		}
		b := p[lane][0]
		a := e.send(ctx, b, 1)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if e.note(a, b) {
			p[lane] = p[lane][1:]
			return nil
		}
		pause = jittered(min(2*pause, e.d.opts.Probe))
	}
}

// send makes one call with a batch.
func (e *endpoint) send(ctx context.Context, b batch, attempt int) store.WebhookAttempt {
	if err := e.limit.Wait(ctx); err != nil {
		return store.WebhookAttempt{Error: "stopped"}
	}
	a := e.d.caller.post(ctx, e.Webhook, idOfBatch(b), bodyOf(b, e.Settings.Batch > 1))
	a.Attempt = attempt
	return a
}

// note takes an attempt into account. It reports whether it delivered the batch.
func (e *endpoint) note(a store.WebhookAttempt, b batch) (delivered bool) {
	delivered = a.Error == ""
	e.d.metrics.calls.WithLabelValues(result(a)).Inc()
	e.mu.Lock()
	defer e.mu.Unlock()
	lines := e.lines.failed
	if delivered {
		lines = e.lines.fine
	}
	if lines.Allow() {
		for _, ev := range b {
			a.Events = append(a.Events, store.HookEvent{ID: ev.id, Type: ev.typ})
		}
		e.attempts = append(e.attempts, a)
	}
	e.touched = true
	if delivered {
		e.d.metrics.events.Add(float64(len(b)))
		if e.down {
			e.dueNow()
		}
		e.failures, e.down, e.Failing = 0, false, 0
		return true
	}
	e.failures++
	e.probeAt = skein.MillisOf(e.d.opts.Now().Add(e.d.opts.Probe))
	if e.Failing == 0 {
		e.Failing = a.At
	}
	e.down = e.down || e.failures >= downAfter
	switch {
	case a.Status == 410:
		e.off(skein.DisabledGone)
	case skein.MillisOf(e.d.opts.Now()) > e.Failing.Add(maxFailing):
		e.off(skein.DisabledFailing)
	}
	return false
}

// dueNow makes all failed deliveries due: the endpoint answers again. The caller holds mu.
func (e *endpoint) dueNow() {
	now := skein.MillisOf(e.d.opts.Now())
	for _, f := range e.failed {
		f.Due = min(f.Due, now)
	}
	e.look()
}

// off disables the endpoint. It keeps its place, and goes on there when it is enabled again. The caller holds mu.
func (e *endpoint) off(why string) {
	if e.disable != "" {
		return
	}
	e.disable, e.touched, e.down = why, true, true
	e.d.metrics.disabled.WithLabelValues(why).Inc()
	e.d.opts.Log.Warn("a webhook was disabled", slog.String("app", e.App), slog.String("webhook", e.ID), slog.String("reason", why))
	e.cancel()
}

// look wakes retry.
func (e *endpoint) look() {
	select {
	case e.wakeUp <- struct{}{}:
	default:
	}
}

func result(a store.WebhookAttempt) string {
	switch {
	case a.Error == "":
		return "delivered"
	case a.Status == 0:
		return "unreachable"
	case a.Status == 410:
		return "gone"
	}
	return "failed"
}
