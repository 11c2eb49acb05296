// Package words looks for an app's forbidden words in texts. It keeps the lists that are in use in
// memory, ready to be searched. It does not know which texts of a call are looked at.
package words

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
)

// Store reads a list; see store.Apps.
type Store interface {
	WordList(ctx context.Context, app string) (skein.WordList, error)
}

// Options are the choices of Lists.
type Options struct {
	Store      Store
	Bytes      int64                 // bound of the lists in memory, about; default 256 MiB
	Registerer prometheus.Registerer // nil: no metrics
}

// Lists are the word lists of the apps that this node serves. Safe for concurrent use.
type Lists struct {
	opts    Options
	loading chan struct{}   // one place for each list that may be loaded at a time
	ctx     context.Context //nolint:containedctx // of loads, which go on when their caller leaves; ends with Close
	cancel  context.CancelFunc
	loads   sync.WaitGroup
	tick    atomic.Int64 // grows with each use of a list

	mu    sync.RWMutex
	lists map[string]*loaded // by app; guarded by mu

	checks, loaded *prometheus.CounterVec
}

// loaded is the list of one app.
type loaded struct {
	asked   int64         // the revision in the app's settings when it was asked for
	stored  int64         // the revision that the store had
	ready   chan struct{} // closed when matcher or err is set
	matcher *Matcher      // nil: the app has no list
	err     error
	used    atomic.Int64 // tick of the last use
}

// New is Lists; Close ends it.
func New(opts Options) *Lists {
	if opts.Bytes == 0 {
		opts.Bytes = 256 << 20
	}
	const atOnce = 2 // others wait, so that lists leave the processors to messages
	l := &Lists{opts: opts, loading: make(chan struct{}, atOnce), lists: make(map[string]*loaded)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.checks = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skein_words_checks_total", Help: "Texts that were compared with a word list, by verdict: pass, replace or reject.",
	}, []string{"verdict"})
	l.loaded = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skein_words_loads_total", Help: "Word lists that were loaded into memory, by outcome: ok or failed.",
	}, []string{"outcome"})
	if opts.Registerer != nil {
		opts.Registerer.MustRegister(l.checks, l.loaded, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "skein_words_bytes", Help: "Memory of the word lists that are loaded, about.",
		}, func() float64 { return float64(l.bytes()) }))
	}
	return l
}

// Close ends the loads.
func (l *Lists) Close() {
	l.cancel()
	l.loads.Wait()
}

// Screen is a text with the words of the app's list replaced. It waits until the list of the
// revision that app names is loaded. Errors: skein.ErrRefused about the field, and those of the
// store.
func (l *Lists) Screen(ctx context.Context, app *skein.App, field, text string) (string, error) {
	if app.Settings.WordList == 0 || text == "" {
		return text, nil
	}
	m, err := l.Matcher(ctx, app)
	if err != nil || m == nil {
		return text, err
	}
	hits := m.Find(text, true)
	verdict := VerdictOf(hits)
	l.checks.WithLabelValues(verdict.String()).Inc()
	switch verdict {
	case Reject:
		return text, &skein.Fault{Err: skein.ErrRefused, Field: field, Detail: "contains a word that this app does not allow"}
	case Replace:
		return Mask(text, hits), nil
	default:
		return text, nil
	}
}

// Matcher is the matcher of an app's list; nil: it has none.
func (l *Lists) Matcher(ctx context.Context, app *skein.App) (*Matcher, error) {
	list := l.of(app.ID, app.Settings.WordList)
	select {
	case <-list.ready:
	default:
		defer share.Pause(ctx).Resume()
		select {
		case <-list.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	list.used.Store(l.tick.Add(1))
	return list.matcher, list.err
}

// of is the list of an app, which perhaps is still being loaded.
func (l *Lists) of(app string, revision int64) *loaded {
	l.mu.RLock()
	list := l.lists[app]
	l.mu.RUnlock()
	if list.has(revision) {
		return list
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if list = l.lists[app]; list.has(revision) {
		return list
	}
	list = &loaded{asked: revision, ready: make(chan struct{})}
	list.used.Store(l.tick.Add(1))
	l.lists[app] = list
	l.loads.Go(func() { l.load(app, list) })
	return list
}

// has reports whether a list is the one of a revision.
func (d *loaded) has(revision int64) bool {
	if d == nil || d.asked == revision {
		return d != nil
	}
	select {
	case <-d.ready:
		return d.stored == revision
	default:
		return false
	}
}

// load reads and compiles a list. One that failed is forgotten, so that the next text tries again.
func (l *Lists) load(app string, list *loaded) {
	outcome := "ok"
	if list.stored, list.matcher, list.err = l.read(app); list.err != nil {
		outcome = "failed"
	}
	l.loaded.WithLabelValues(outcome).Inc()
	close(list.ready)
	l.mu.Lock()
	defer l.mu.Unlock()
	if list.err != nil && l.lists[app] == list {
		delete(l.lists, app)
	}
	l.shrink(list)
}

// read is the list that the store has; a nil matcher: it has none, and the app's settings follow.
func (l *Lists) read(app string) (revision int64, m *Matcher, err error) {
	select {
	case l.loading <- struct{}{}:
		defer func() { <-l.loading }()
	case <-l.ctx.Done():
		return 0, nil, skein.ErrUnavailable
	}
	list, err := l.opts.Store.WordList(l.ctx, app)
	if err != nil {
		return 0, nil, errors.Join(skein.ErrUnavailable, err)
	}
	if list.Revision == 0 {
		return 0, nil, nil
	}
	m, err = Compile(list)
	return list.Revision, m, err
}

// shrink forgets the lists that were used least lately, but not keep. mu is held.
func (l *Lists) shrink(keep *loaded) {
	for l.size() > l.opts.Bytes {
		oldest, used := "", int64(0)
		for app, list := range l.lists {
			if u := list.used.Load(); list != keep && list.size() > 0 && (oldest == "" || u < used) {
				oldest, used = app, u
			}
		}
		if oldest == "" {
			return
		}
		delete(l.lists, oldest)
	}
}

// size is the memory of a list; zero while it is loaded.
func (d *loaded) size() int64 {
	select {
	case <-d.ready:
		if d.matcher != nil {
			return d.matcher.Size()
		}
	default:
	}
	return 0
}

// size is the memory of all lists. mu is held.
func (l *Lists) size() (bytes int64) {
	for _, list := range l.lists {
		bytes += list.size()
	}
	return bytes
}

func (l *Lists) bytes() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.size()
}
