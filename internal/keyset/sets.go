package keyset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/recent"
	"github.com/skein-im/skein/internal/share"
)

// Bounds of what is fetched and kept.
const (
	maxApps    = 10_000           // whose sets are kept
	maxAge     = 10 * time.Minute // of a set; then it is fetched again, and is used meanwhile
	pause      = 10 * time.Second // at least, between two fetches for an app
	maxFetches = 16               // at the same time
	maxWaiting = 100              // callers of an app that wait for a fetch
)

// ErrUnknownKey is about a key that is not in the set of its app.
var ErrUnknownKey = errors.New("unknown key")

// Options are the parts of Sets.
type Options struct {
	Client     *http.Client // that bounds where it calls, the time and the answer; see package dial
	Now        func() time.Time
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// Sets keeps the sets of apps. It fetches a set when it is first needed, every maxAge while it is
// in use, and when a key is not in it; a fetch that fails changes nothing. Safe for concurrent use.
type Sets struct {
	opts    Options
	fetches *prometheus.CounterVec
	ctx     context.Context //nolint:containedctx // of the fetches, which no caller owns; Close ends it
	stop    context.CancelFunc
	running sync.WaitGroup // fetches
	places  chan struct{}

	mu     sync.Mutex
	apps   *recent.Map[string, *entry] // by app; guarded by mu
	closed bool                        // guarded by mu
}

// entry is what is known of the set of an app. Sets.mu guards its fields.
type entry struct {
	source  string
	set     Set
	fetched time.Time     // when the set came; zero: never
	tried   time.Time     // when the newest fetch began; zero: never
	failed  bool          // how the newest fetch ended
	done    chan struct{} // closed when the running fetch ends; nil: none runs
	waiting int           // callers
}

// New keeps no set yet.
func New(o Options) *Sets {
	s := &Sets{
		opts: o, places: make(chan struct{}, maxFetches), apps: recent.New[string, *entry](maxApps),
		fetches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skein_jwks_fetches_total", Help: "Fetches of the key sets of apps: ok and failed.",
		}, []string{"result"}),
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	o.Registerer.MustRegister(s.fetches)
	return s
}

// Close ends running fetches. No other begins.
func (s *Sets) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.running.Wait()
}

// Find is the key of an app's set for an algorithm and key id. It waits for a fetch if it does not
// know the key and the last fetch was a while ago, or if nobody asked for so long that the set says
// little. Errors: ErrUnknownKey; skein.ErrUnavailable where the set could not be fetched.
func (s *Sets) Find(ctx context.Context, app, source, alg, id string) (any, error) {
	now := s.opts.Now()
	s.mu.Lock()
	e := s.entry(app, source)
	found := e.set.find(alg, id)
	if !fetchable(source) {
		s.mu.Unlock()
		return orUnknown(found)
	}
	if e.done == nil && past(e.tried, pause, now) && (found == nil || past(e.fetched, maxAge, now)) {
		s.fetch(app, e, now)
	}
	idle := !e.failed && past(e.fetched, 2*maxAge, now)
	if e.done != nil && e.waiting < maxWaiting && (found == nil || idle) {
		return s.wait(ctx, e, alg, id)
	}
	current := e.done == nil && !e.failed && !e.fetched.IsZero()
	s.mu.Unlock()
	if found == nil && !current {
		return nil, skein.ErrUnavailable
	}
	return orUnknown(found)
}

// wait waits for the running fetch of e. It unlocks s.mu, which the caller has locked.
func (s *Sets) wait(ctx context.Context, e *entry, alg, id string) (any, error) {
	done := e.done
	e.waiting++
	s.mu.Unlock()
	defer share.Pause(ctx).Resume()
	select {
	case <-done:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.waiting--
	if found := e.set.find(alg, id); found != nil {
		return found, nil
	}
	if e.done == done || e.failed {
		return nil, skein.ErrUnavailable
	}
	return nil, ErrUnknownKey
}

// Known is Find without a fetch; nil: the key is not known.
func (s *Sets) Known(app, source, alg, id string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, there := s.apps.Get(app); there && e.source == source {
		return e.set.find(alg, id)
	}
	return nil
}

func orUnknown(found any) (any, error) {
	if found == nil {
		return nil, ErrUnknownKey
	}
	return found, nil
}

// past reports whether then is at least d ago; a clock that was put back says yes.
func past(then time.Time, d time.Duration, now time.Time) bool {
	age := now.Sub(then)
	return age < 0 || age >= d
}

// entry is that of an app. The caller has locked s.mu.
func (s *Sets) entry(app, source string) *entry {
	e, there := s.apps.Get(app)
	if there && e.source == source {
		return e
	}
	e = &entry{source: source}
	if !fetchable(source) {
		e.set, _, _ = parse([]byte(source)) // Check accepted it: a set that cannot be read has no key
	}
	s.apps.Put(app, e)
	return e
}

// fetch begins a fetch for e, if there is a place. The caller has locked s.mu.
func (s *Sets) fetch(app string, e *entry, now time.Time) {
	if s.closed {
		return
	}
	select {
	case s.places <- struct{}{}:
	default:
		return
	}
	e.tried, e.done = now, make(chan struct{})
	s.running.Go(func() {
		defer func() { <-s.places }()
		set, unusable, err := s.get(e.source)
		s.mu.Lock()
		if e.failed = err != nil; !e.failed {
			e.set, e.fetched = set, s.opts.Now()
		}
		close(e.done)
		e.done = nil
		s.mu.Unlock()
		s.report(app, unusable, err)
	})
}

func (s *Sets) report(app string, unusable []error, err error) {
	switch {
	case err != nil:
		s.fetches.WithLabelValues("failed").Inc()
		s.opts.Log.Warn("the keys of an app's tokens could not be fetched; those that are known are still in force", slog.String("app", app), slog.Any("error", err))
		return
	case len(unusable) > 0:
		s.opts.Log.Warn("keys of an app's tokens are not usable", slog.String("app", app), slog.Int("keys", len(unusable)), slog.Any("first", unusable[0]))
	}
	s.fetches.WithLabelValues("ok").Inc()
}

// get fetches a set.
func (s *Sets) get(source string) (Set, []error, error) {
	r, err := http.NewRequestWithContext(s.ctx, http.MethodGet, source, nil)
	if err != nil {
		return Set{}, nil, fmt.Errorf("fetch a key set: %w", err)
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	answer, err := s.opts.Client.Do(r)
	if err != nil {
		return Set{}, nil, fmt.Errorf("fetch a key set: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return Set{}, nil, fmt.Errorf("fetch a key set: HTTP %d", answer.StatusCode)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return Set{}, nil, fmt.Errorf("fetch a key set: %w", err)
	}
	return parse(text)
}
