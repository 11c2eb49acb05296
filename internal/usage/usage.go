// Package usage counts what apps use on this node, and adds it to the store once a minute: messages,
// deliveries, connections, and when keys were last used. It warns of quotas. It does not know
// what a quota does.
package usage

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Options are the parts of a Meter.
type Options struct {
	Store    store.Usage
	Sessions func() map[string]int                                         // on this node now, by app
	Settings func(ctx context.Context, app string) (skein.Settings, error) // of an app
	Now      func() time.Time
	Log      *slog.Logger

	Registerer prometheus.Registerer // nil: no metrics
}

// Meter counts. Safe for concurrent use.
type Meter struct {
	opts   Options
	stored *prometheus.CounterVec

	mu    sync.RWMutex
	apps  map[string]*app     // those that used something since the start; guarded by mu
	keys  map[key]*lastUse    // those that were used since the start; guarded by mu
	named map[string]struct{} // apps with metrics of their own; guarded by mu

	flushing sync.Mutex // held while the counts are stored
	minute   int64      // in which the peaks are counted; guarded by flushing
}

// app is what one app used since the start of the process.
type app struct {
	messages, deliveries atomic.Int64

	// The rest is guarded by Meter.flushing.
	storedMessages, storedDeliveries int64 // what the store has of them
	peak                             int64 // sessions in the minute
}

type key struct{ app, name string }

// lastUse is when a key was last used.
type lastUse struct {
	at     atomic.Int64 // skein.Millis
	stored int64        // what the store has; guarded by Meter.flushing
}

// New is a Meter. Run keeps it going, and Close stores the last counts.
func New(opts Options) *Meter {
	m := &Meter{opts: opts, apps: map[string]*app{}, keys: map[key]*lastUse{}, named: map[string]struct{}{}}
	m.minute = minuteOf(opts.Now())
	m.stored = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skein_usage_stored_total", Help: "Additions of counts of usage to the store, by outcome: ok or failed. What failed is added with the next.",
	}, []string{"outcome"})
	if opts.Registerer != nil {
		opts.Registerer.MustRegister(m.stored, collector{m})
	}
	return m
}

// Committed counts messages that were stored; see store.CommitHook.
func (m *Meter) Committed(sent []skein.Committed) {
	for i := 0; i < len(sent); {
		id, n := sent[i].App, int64(0)
		for ; i < len(sent) && sent[i].App == id; i++ {
			if sent[i].Change == nil {
				n++
			}
		}
		if n > 0 {
			m.app(id).messages.Add(n)
		}
	}
}

// Delivered counts frames that were queued for sessions.
func (m *Meter) Delivered(id string, frames int) {
	if frames > 0 {
		m.app(id).deliveries.Add(int64(frames))
	}
}

// app is the counts of an app.
func (m *Meter) app(id string) *app {
	m.mu.RLock()
	a := m.apps[id]
	m.mu.RUnlock()
	if a != nil {
		return a
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if a = m.apps[id]; a == nil {
		a = new(app)
		m.apps[id] = a
		if len(m.named) < maxNamed {
			m.named[id] = struct{}{}
		}
	}
	return a
}

// keyResolution is how exactly the last use of a key is known in memory, so that calls with one key
// do not all write to one place.
const keyResolution = skein.Millis(time.Second / time.Millisecond)

// KeyUsed notes that a key was used.
func (m *Meter) KeyUsed(app, name string, at skein.Millis) {
	k := key{app, name}
	m.mu.RLock()
	u := m.keys[k]
	m.mu.RUnlock()
	if u == nil {
		m.mu.Lock()
		if u = m.keys[k]; u == nil {
			u = new(lastUse)
			m.keys[k] = u
		}
		m.mu.Unlock()
	}
	if at >= skein.Millis(u.at.Load())+keyResolution {
		u.at.Store(int64(at))
	}
}

// Times of Run.
const (
	sampleEvery = 10 * time.Second // the sessions are counted so often
	patience    = 30 * time.Second // for the store
)

// Run counts sessions and stores what was counted once a minute, until ctx ends.
func (m *Meter) Run(ctx context.Context) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.sample(ctx)
		}
	}
}

// Close stores what was counted since the last minute. Nothing may be counted any more.
func (m *Meter) Close(ctx context.Context) {
	m.flushing.Lock()
	defer m.flushing.Unlock()
	m.flush(ctx)
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

// sample counts the sessions. In a new minute it stores the counts of the last one first.
func (m *Meter) sample(ctx context.Context) {
	m.flushing.Lock()
	defer m.flushing.Unlock()
	if now := minuteOf(m.opts.Now()); now != m.minute {
		m.flush(ctx)
		m.minute = now
	}
	for id, n := range m.opts.Sessions() {
		a := m.app(id)
		a.peak = max(a.peak, int64(n))
	}
}

// piece is how many apps or keys one transaction of the store takes.
const piece = 500

// due is an app whose counts are to be stored.
type due struct {
	*app

	report store.AppUsage
}

// flush stores what was counted, and begins the peaks anew. What cannot be stored waits for the next
// flush, but for the connections, which are those of a minute. flushing is held.
func (m *Meter) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	apps, keys := m.due()
	report := store.UsageReport{Day: skein.DayOf(skein.Millis(m.minute * time.Minute.Milliseconds())), Minute: m.minute}
	for some := range slices.Chunk(apps, piece) {
		report.Apps = report.Apps[:0]
		for _, a := range some {
			report.Apps = append(report.Apps, a.report)
		}
		used, err := m.opts.Store.AddUsage(ctx, report)
		if m.count(ctx, err); err != nil {
			continue
		}
		for i, a := range some {
			a.storedMessages += a.report.Messages
			a.storedDeliveries += a.report.Deliveries
			m.warn(ctx, a.report.App, used[i])
		}
	}
	report.Apps = nil
	for some := range slices.Chunk(keys, piece) {
		report.Keys = some
		_, err := m.opts.Store.AddUsage(ctx, report)
		if m.count(ctx, err); err == nil {
			m.haveStored(some)
		}
	}
}

// due is what the store does not have yet.
func (m *Meter) due() (apps []due, keys []store.KeyUse) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for id, a := range m.apps {
		r := store.AppUsage{App: id, Messages: a.messages.Load() - a.storedMessages, Deliveries: a.deliveries.Load() - a.storedDeliveries, Connections: a.peak}
		a.peak = 0
		if r.Messages != 0 || r.Deliveries != 0 || r.Connections != 0 {
			apps = append(apps, due{a, r})
		}
	}
	for k, u := range m.keys {
		if at := u.at.Load(); at > u.stored {
			keys = append(keys, store.KeyUse{App: k.app, Name: k.name, At: skein.Millis(at)})
		}
	}
	return apps, keys
}

// haveStored notes that the store has the uses of keys. It forgets keys that were not used for a while,
// such as ended ones.
func (m *Meter) haveStored(uses []store.KeyUse) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range uses {
		m.keys[key{u.App, u.Name}].stored = int64(u.At)
	}
	idle := skein.MillisOf(m.opts.Now()).Add(-time.Hour)
	for k, u := range m.keys {
		if at := u.at.Load(); at == u.stored && skein.Millis(at) < idle {
			delete(m.keys, k)
		}
	}
}

func (m *Meter) count(ctx context.Context, err error) {
	if err == nil {
		m.stored.WithLabelValues("ok").Inc()
		return
	}
	m.stored.WithLabelValues("failed").Inc()
	m.opts.Log.LogAttrs(ctx, slog.LevelWarn, "usage of apps was not stored; it is kept for the next minute", slog.Any("error", err))
}

// warn tells of the quotas of which an app has used much, each once a day.
func (m *Meter) warn(ctx context.Context, id string, used store.UsedToday) {
	if used.Day == 0 {
		return // the app is gone
	}
	settings, err := m.opts.Settings(ctx, id)
	for _, w := range settings.QuotaWarnings(used.Usage) {
		if err == nil && !used.WarnedOf(w.Quota) {
			err = m.opts.Store.WarnOfQuota(ctx, id, w)
		}
	}
	if err != nil { // the next minute with usage tries again
		m.opts.Log.LogAttrs(ctx, slog.LevelWarn, "an app was not warned of its quotas", slog.String("app", id), slog.Any("error", err))
	}
}
