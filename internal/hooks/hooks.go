// Package hooks asks the backend of an app before something happens there: its before-hooks. It makes
// the calls, bounds them, and stops calling an address that does not answer. What is asked, and what
// becomes of a verdict, the use cases know.
package hooks

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
)

// Client makes calls; see package dial.
type Client interface {
	Do(r *http.Request) (*http.Response, error)
}

// Options are the parts of a Caller.
type Options struct {
	Client Client
	// SignLinks signs the links to private files of an app in a call's body; nil: they stay as they are.
	SignLinks func(ctx context.Context, app string, json []byte) []byte
	// Timeout is the time that a call may take, for tests; zero: as the hook has it.
	Timeout    time.Duration
	Now        func() time.Time      // nil: time.Now
	Log        *slog.Logger          // nil: discards
	Registerer prometheus.Registerer // nil: no metrics
}

// CallsAtOnce bounds the calls of one app that a node makes at a time. Others wait, within their timeout.
const CallsAtOnce = 64

// Caller asks hooks. Safe for concurrent use.
type Caller struct {
	opts    Options
	metrics metrics

	mu   sync.Mutex
	apps map[string]*app // that have asked a hook; guarded by mu
}

// app is what a node knows of the hooks of one app.
type app struct {
	slots    chan struct{} // one for each call that is being made
	breakers map[string]*breaker
}

// New is a Caller.
func New(o Options) *Caller {
	if o.SignLinks == nil {
		o.SignLinks = func(_ context.Context, _ string, json []byte) []byte { return json }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Caller{opts: o, apps: map[string]*app{}}
	c.metrics = newMetrics(o.Registerer, c.open)
	return c
}

// Ask asks the app's hook, if it has one, about each of the questions, which are all before the same
// thing. It asks at the same time and answers when all have an answer, in their order. Errors:
// skein.ErrRejected with the hook's text; skein.ErrUnavailable if the hook failed and is to refuse
// then; the context's.
func (c *Caller) Ask(ctx context.Context, of *skein.App, all []skein.Question) []skein.Answer {
	answers := make([]skein.Answer, len(all))
	if len(all) == 0 {
		return answers
	}
	hook := of.Settings.HookBefore(all[0].On)
	if hook == nil {
		return answers
	}
	defer share.Pause(ctx).Resume()
	if len(all) == 1 {
		answers[0] = c.ask(ctx, of, hook, &all[0])
		return answers
	}
	var asking sync.WaitGroup
	for i := range all {
		asking.Go(func() { answers[i] = c.ask(ctx, of, hook, &all[i]) })
	}
	asking.Wait()
	return answers
}

// errFailed answers who asked a hook that failed and is to refuse then.
var errFailed = &skein.Fault{Err: skein.ErrUnavailable, Detail: "the app's before-hook did not answer"}

func (c *Caller) ask(ctx context.Context, of *skein.App, hook *skein.BeforeHook, q *skein.Question) skein.Answer {
	began := time.Now()
	v, result, err := c.guarded(ctx, of, hook, q)
	c.metrics.observe(q.On, result, time.Since(began))
	switch {
	case result == resultReject:
		return skein.Answer{Err: err}
	case err == nil:
		return skein.Answer{Verdict: v}
	case ctx.Err() != nil:
		return skein.Answer{Err: ctx.Err()}
	case hook.Closed:
		return skein.Answer{Err: errFailed}
	default:
		return skein.Answer{}
	}
}

// guarded makes a call unless the breaker is open, as soon as one of the app's slots is free.
func (c *Caller) guarded(ctx context.Context, of *skein.App, hook *skein.BeforeHook, q *skein.Question) (v skein.Verdict, result string, err error) {
	app, breaker := c.of(of.ID, hook)
	if !breaker.admits(hook.URL, c.opts.Now()) {
		return v, resultSkipped, errFailed
	}
	limit := c.opts.Timeout
	if limit == 0 {
		limit = timeout(hook)
	}
	call, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	entered, waited := app.enter(call)
	if !entered {
		breaker.unused(hook.URL)
		return v, resultBusy, call.Err()
	}
	v, result, err = c.post(call, of, hook, q)
	<-app.slots
	if ctx.Err() != nil && err != nil {
		breaker.unused(hook.URL)
		return v, result, err // the caller left; the hook may be well
	}
	if waited && result == resultTimeout {
		breaker.unused(hook.URL)
		return v, resultBusy, err // the hook had only a part of its time; it may be well
	}
	c.note(of.ID, hook, breaker, result, err)
	return v, result, err
}

// of is what the node knows of an app's hook.
func (c *Caller) of(id string, hook *skein.BeforeHook) (*app, *breaker) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.apps[id]
	if a == nil {
		a = &app{slots: make(chan struct{}, CallsAtOnce), breakers: map[string]*breaker{}}
		c.apps[id] = a
	}
	b := a.breakers[hook.On]
	if b == nil {
		b = &breaker{}
		a.breakers[hook.On] = b
	}
	return a, b
}

// enter takes a slot, and reports whether it waited for it. It reports false if the time is over first.
func (a *app) enter(ctx context.Context) (entered, waited bool) {
	select {
	case a.slots <- struct{}{}:
		return true, false
	default:
	}
	select {
	case a.slots <- struct{}{}:
		return true, true
	case <-ctx.Done():
		return false, true
	}
}

// note tells the breaker what came of a call, and the log if it opens or closes.
func (c *Caller) note(app string, hook *skein.BeforeHook, b *breaker, result string, err error) {
	well := result != resultFailed && result != resultTimeout
	switch opened, closed := b.done(hook.URL, well, c.opts.Now()); {
	case opened:
		c.opts.Log.Warn("a before-hook fails: it is not called for a while", "app", app, "hook", hook.On, "error", err)
	case closed:
		c.opts.Log.Info("a before-hook answers again", "app", app, "hook", hook.On)
	}
}

// open counts the breakers that are open.
func (c *Caller) open() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.opts.Now()
	for _, a := range c.apps {
		for _, b := range a.breakers {
			if b.isOpen(now) {
				n++
			}
		}
	}
	return n
}

func timeout(hook *skein.BeforeHook) time.Duration {
	ms := hook.Timeout
	if ms == 0 {
		ms = skein.DefaultHookTimeout
	}
	return time.Duration(ms) * time.Millisecond
}
