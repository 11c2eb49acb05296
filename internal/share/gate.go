package share

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Gate lets a few work at a time, some for each core. While more want to, apps
// take turns by the time that their work takes. Without it whoever the network wakes
// waits in the queues of the Go scheduler, which are first come, first served: behind
// a thousand sockets of another app that were woken a moment earlier.
//
// Only work of the processor belongs behind a gate. Who waits for something else gives
// its place up meanwhile; see Pause. Where somebody waits in its place all the same,
// such as for a disk, others are let in after a stall. The nil gate lets in everybody.
// Safe for concurrent use.
type Gate struct {
	stall time.Duration // after so long without a change another one is let in; zero: never

	free    atomic.Int64 // places
	lent    atomic.Int64 // places beyond the usual ones that are taken, after stalls
	waiters atomic.Int64

	mu      sync.Mutex
	waiting Turns[*waiter] // guarded by mu, as all below
	calm    time.Duration  // when nobody waited any more, on the scale of clock
	served  int64          // waiters that were let in
	seen    int64          // of them, at the last tick
	ticking bool
}

// waiter is somebody who waits at a gate.
type waiter struct{ let chan struct{} }

var waiters = sync.Pool{New: func() any { return &waiter{make(chan struct{}, 1)} }}

// Stall is what the server gives its gate: longer than most turns take, and short enough
// for whoever waits.
const Stall = 5 * time.Millisecond

// NewGate makes a gate with so many places. When somebody waits and nobody has been let
// in for as long as stall, one more place is lent; a stall of zero lends none.
func NewGate(places int, stall time.Duration) *Gate {
	g := &Gate{stall: stall, waiting: NewTurns[*waiter]()}
	g.free.Store(int64(places))
	return g
}

// Waiting is how many wait.
func (g *Gate) Waiting() int { return int(g.waiters.Load()) }

// Pass is the way of one goroutine through a gate: in, out, in again. The zero value is
// outside. Only Leave is safe for concurrent use.
type Pass struct {
	gate  *Gate
	app   string
	since atomic.Int64 // when it got in, on the scale of clock; unmeasured; zero: it is outside
}

// unmeasured stands for the moment at which somebody found a free place. Reading the
// clock would cost more than all the rest of Enter, and nobody waited for that turn.
const unmeasured = -1

// Enter waits until it is the turn of the app. Before a caller's app is known, its
// address stands for it.
func (p *Pass) Enter(g *Gate, app string) {
	if g == nil {
		return
	}
	p.gate, p.app = g, app
	if g.waiters.Load() == 0 && g.take() {
		p.since.Store(unmeasured)
		return
	}
	g.wait(app)
	p.since.Store(int64(clock()))
}

// Leave gives the place up, and reports false if there was none.
func (p *Pass) Leave() bool {
	since := p.since.Swap(0)
	if since == 0 {
		return false
	}
	g := p.gate
	g.giveBack()
	if g.waiters.Load() > 0 {
		took := time.Duration(0)
		if since != unmeasured {
			took = clock() - time.Duration(since)
		}
		g.handOn(p.app, took)
	}
	return true
}

// Resume goes in again after Pause.
func (p *Pass) Resume() {
	if p != nil {
		p.Enter(p.gate, p.app)
	}
}

// Pause gives up the place of the work under ctx while it waits for something; Resume
// takes it again:
//
//	defer share.Pause(ctx).Resume()
func Pause(ctx context.Context) *Pass {
	if p, ok := ctx.Value(passKey{}).(*Pass); ok && p.Leave() {
		return p
	}
	return nil
}

// With is ctx for work that is done with this pass.
func (p *Pass) With(ctx context.Context) context.Context { return passing{ctx, p} }

// NewPass is a pass and ctx for work that is done with it.
func NewPass(ctx context.Context) (context.Context, *Pass) {
	both := &struct {
		Pass

		ctx passing
	}{ctx: passing{Context: ctx}}
	both.ctx.pass = &both.Pass
	return &both.ctx, &both.Pass
}

type passKey struct{}

type passing struct {
	context.Context //nolint:containedctx // it is a context

	pass *Pass
}

// Value is the pass, or what the context around it has.
func (c passing) Value(key any) any {
	if _, ok := key.(passKey); ok {
		return c.pass
	}
	return c.Context.Value(key)
}

var started = time.Now()

// clock is the time since the start, never zero.
func clock() time.Duration { return time.Since(started) + 1 }

// take takes a place that is free.
func (g *Gate) take() bool {
	for n := g.free.Load(); n > 0; n = g.free.Load() {
		if g.free.CompareAndSwap(n, n-1) {
			return true
		}
	}
	return false
}

// giveBack frees a place, unless it was one that was lent.
func (g *Gate) giveBack() {
	for n := g.lent.Load(); n > 0; n = g.lent.Load() {
		if g.lent.CompareAndSwap(n, n-1) {
			return
		}
	}
	g.free.Add(1)
}

// wait waits for a turn of the app. A place may have been freed before it counted as a
// waiter, so it looks once more.
func (g *Gate) wait(app string) {
	w := waiters.Get().(*waiter)
	defer waiters.Put(w)
	g.mu.Lock()
	if g.waiters.Add(1) == 1 {
		g.waiting.Idle(clock() - g.calm)
	}
	g.waiting.Push(app, w)
	g.serve()
	g.tick()
	g.mu.Unlock()
	<-w.let
	// Who is let in runs before all that wait in the queue of its core. Among those are
	// the ones that the network has just woken, and they come to the gate first.
	runtime.Gosched()
}

// handOn charges an app for its turn and lets in who is next.
func (g *Gate) handOn(app string, took time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting.Charge(g.waiting.Of(app), took)
	g.serve()
}

// serve lets in those whose turn it is, as far as there are places. mu is held.
func (g *Gate) serve() {
	for line := g.waiting.Next(nil); line != nil && g.take(); line = g.waiting.Next(nil) {
		w := g.waiting.Take(line, 0)
		line.Release()
		g.served++
		if g.waiters.Add(-1) == 0 {
			g.calm = clock()
		}
		w.let <- struct{}{} // never waits: it has room for one
	}
}

// tick looks after a stall whether anybody was let in, while somebody waits. mu is
// held.
func (g *Gate) tick() {
	if g.stall == 0 || g.ticking || g.waiting.Next(nil) == nil {
		return
	}
	g.ticking, g.seen = true, g.served
	time.AfterFunc(g.stall, g.unblock)
}

// unblock lets one more in where nobody was let in since the last tick.
func (g *Gate) unblock() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ticking = false
	if g.served == g.seen && g.waiting.Next(nil) != nil {
		g.lent.Add(1)
		g.free.Add(1)
		g.serve()
	}
	g.tick()
}
