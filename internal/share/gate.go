package share

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Gate lets a few goroutines work at a time, some for each core. While more want to work,
// apps take turns by the time that their work takes. Without a gate the Go scheduler runs
// goroutines in the order in which the network wakes them, so an app would wait behind a
// thousand sockets of another app that were woken a moment earlier.
//
// Only CPU work belongs behind a gate. A goroutine that waits for something else leaves
// the gate meanwhile; see Pause. If goroutines block inside the gate anyway, such as on a
// disk, the gate lets in others after a stall. A nil Gate lets in everybody. Safe for
// concurrent use.
type Gate struct {
	stall time.Duration // how long nobody is let in before one place is lent; zero: never lend

	free    atomic.Int64 // places
	lent    atomic.Int64 // places in use that were lent after stalls
	waiters atomic.Int64

	mu      sync.Mutex
	waiting Turns[*waiter] // guarded by mu, like all fields below
	calm    time.Duration  // when the last waiter was let in, as a time of clock
	served  int64          // waiters that were let in
	seen    int64          // served at the last tick
	ticking bool
}

// waiter is a goroutine that waits at a gate.
type waiter struct{ let chan struct{} }

var waiters = sync.Pool{New: func() any { return &waiter{make(chan struct{}, 1)} }}

// Stall is the stall of the server's gate. It is longer than most turns, and short for
// those who wait.
const Stall = 5 * time.Millisecond

// NewGate makes a gate with that many places. If goroutines wait and none was let in for
// stall, the gate lends one more place. With a stall of zero it lends none.
func NewGate(places int, stall time.Duration) *Gate {
	g := &Gate{stall: stall, waiting: NewTurns[*waiter]()}
	g.free.Store(int64(places))
	return g
}

// Waiting is how many goroutines wait.
func (g *Gate) Waiting() int { return int(g.waiters.Load()) }

// Pass is one goroutine's place at a gate. The goroutine may enter and leave it many
// times. The zero value is outside. Only Leave is safe for concurrent use.
type Pass struct {
	gate  *Gate
	app   string
	since atomic.Int64 // when it entered, as a time of clock, or unmeasured; zero: it is outside
}

// unmeasured is the entry time of a goroutine that found a free place. Reading the clock
// would cost more than the rest of Enter, and nobody waited for that turn.
const unmeasured = -1

// Enter waits until it is the turn of the app. Before the app is known, callers pass the
// address instead.
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

// Leave frees the place. It reports false if the pass was outside. While others wait, the
// place is free only after the turn was charged: else the app could take it again as if
// its turn had cost nothing.
func (p *Pass) Leave() bool {
	since := p.since.Swap(0)
	if since == 0 {
		return false
	}
	g := p.gate
	if g.waiters.Load() == 0 {
		g.giveBack()
		if g.waiters.Load() > 0 { // they began to wait before the place was free
			g.mu.Lock()
			defer g.mu.Unlock()
			g.serve()
		}
		return true
	}
	took := time.Duration(0)
	if since != unmeasured {
		took = max(clock()-time.Duration(since), 1) // clocks may be coarse
	}
	g.handOn(p.app, took)
	return true
}

// Resume enters the gate again after Pause.
func (p *Pass) Resume() {
	if p != nil {
		p.Enter(p.gate, p.app)
	}
}

// Pause leaves the gate while the work under ctx waits for something. Resume enters it
// again:
//
//	defer share.Pause(ctx).Resume()
func Pause(ctx context.Context) *Pass {
	if p, ok := ctx.Value(passKey{}).(*Pass); ok && p.Leave() {
		return p
	}
	return nil
}

// With returns ctx for work that holds this pass.
func (p *Pass) With(ctx context.Context) context.Context { return passing{ctx, p} }

// NewPass makes a pass, and returns it with ctx for work that holds it.
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

// Value returns the pass, or the value of the parent context.
func (c passing) Value(key any) any {
	if _, ok := key.(passKey); ok {
		return c.pass
	}
	return c.Context.Value(key)
}

var started = time.Now()

// clock is the time since the start, never zero.
func clock() time.Duration { return time.Since(started) + 1 }

// take takes a free place, and reports whether there was one.
func (g *Gate) take() bool {
	for n := g.free.Load(); n > 0; n = g.free.Load() {
		if g.free.CompareAndSwap(n, n-1) {
			return true
		}
	}
	return false
}

// giveBack frees a place. While places are lent, it ends a loan instead.
func (g *Gate) giveBack() {
	for n := g.lent.Load(); n > 0; n = g.lent.Load() {
		if g.lent.CompareAndSwap(n, n-1) {
			return
		}
	}
	g.free.Add(1)
}

// wait waits for a turn of the app. It calls serve once itself, because a place may have
// been freed before this goroutine was counted as a waiter.
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
	// The scheduler would run this goroutine before the others in the queue of its core.
	// Some of those were just woken by the network: they must reach the gate first.
	runtime.Gosched()
}

// handOn charges an app for its turn, then frees its place and lets in the next waiter.
func (g *Gate) handOn(app string, took time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting.Charge(g.waiting.Of(app), took)
	g.giveBack()
	g.serve()
}

// serve lets in the next waiters while there are free places. mu is held.
func (g *Gate) serve() {
	for line := g.waiting.Next(nil); line != nil && g.take(); line = g.waiting.Next(nil) {
		w := g.waiting.Take(line, 0)
		line.Release()
		g.served++
		if g.waiters.Add(-1) == 0 {
			g.calm = clock()
		}
		w.let <- struct{}{} // never blocks: the channel has room for one
	}
}

// tick starts a timer that calls unblock after a stall, if goroutines wait. mu is held.
func (g *Gate) tick() {
	if g.stall == 0 || g.ticking || g.waiting.Next(nil) == nil {
		return
	}
	g.ticking, g.seen = true, g.served
	time.AfterFunc(g.stall, g.unblock)
}

// unblock lends one place if nobody was let in since the last tick.
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
