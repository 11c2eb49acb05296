package share

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Places lends a fixed number of places, such as connections, each to one call at a time. Calls
// wait if none is free. Waiting calls take turns so that apps get equal shares of the places'
// time, and the calls of one app keep their order. Safe for concurrent use.
type Places struct {
	size   int
	weight int

	mu      sync.Mutex
	left    sync.Cond      // signalled when a place becomes free after Close
	free    int            // guarded by mu, as all below
	lent    map[string]int // by app
	waiting Turns[*turn]
	closed  bool
}

// turn is a call that waits for a place.
type turn struct {
	got  chan error // nil: it has a place
	over bool       // the call stopped waiting; guarded by the mu of Places
}

// ErrClosed is about places that were closed.
var ErrClosed = errors.New("closed")

// NewPlaces makes n places. An app may hold at most weight times as many as are free, so a call of
// another app finds one however many slow calls the first app makes: of 16 places with a weight of
// 3 one app gets 12, the next one 3. A weight of zero is no bound.
func NewPlaces(n, weight int) *Places {
	p := &Places{size: n, weight: weight, free: n, lent: make(map[string]int), waiting: NewTurns[*turn]()}
	p.left.L = &p.mu
	return p
}

// Size is how many places there are.
func (p *Places) Size() int { return p.size }

// Enter waits for a place. Leave returns it. Errors: ErrClosed, and the context's.
func (p *Places) Enter(ctx context.Context, app string, q *Queue) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return ErrClosed
	}
	if p.waiting.Next(nil) == nil && p.may(app) {
		p.hand(app)
		p.mu.Unlock()
		q.inUse.Inc()
		return nil
	}
	t := &turn{got: make(chan error, 1)}
	p.waiting.Push(app, t)
	p.serve() // perhaps all waiting calls are of other apps that have their share
	p.mu.Unlock()
	return p.wait(ctx, app, t, q)
}

// wait waits for a turn that was pushed.
func (p *Places) wait(ctx context.Context, app string, t *turn, q *Queue) error {
	since := time.Now()
	q.waiting.Inc()
	defer q.waiting.Dec()
	select {
	case err := <-t.got:
		q.waited.Observe(time.Since(since).Seconds())
		if err == nil {
			q.inUse.Inc()
		}
		return err
	case <-ctx.Done():
		q.waited.Observe(time.Since(since).Seconds())
		p.giveUp(t, app)
		return ctx.Err()
	}
}

// giveUp ends the wait of a call, which may have got a place at the same moment.
func (p *Places) giveUp(t *turn, app string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.over = true
	select {
	case err := <-t.got:
		if err == nil {
			p.takeBack(app, 0)
		}
	default:
	}
}

// Leave returns a place and charges the app for the time that it had it.
func (p *Places) Leave(app string, took time.Duration, q *Queue) {
	q.inUse.Dec()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takeBack(app, took)
}

// takeBack takes a place back. mu is held.
func (p *Places) takeBack(app string, took time.Duration) {
	p.free++
	if p.lent[app]--; p.lent[app] == 0 {
		delete(p.lent, app)
	}
	p.waiting.Charge(p.waiting.Of(app), took)
	if p.closed {
		p.left.Broadcast()
		return
	}
	p.serve()
}

// may reports whether an app may get a place now. mu is held.
func (p *Places) may(app string) bool {
	return p.free > 0 && (p.weight == 0 || p.lent[app] < p.weight*p.free)
}

// hand gives an app a free place. mu is held.
func (p *Places) hand(app string) {
	p.free--
	p.lent[app]++
}

// serve gives free places to waiting calls. mu is held.
func (p *Places) serve() {
	for p.free > 0 {
		line := p.waiting.Next(p.may)
		if line == nil {
			return
		}
		t := p.waiting.Take(line, 0)
		line.Release()
		if !t.over {
			p.hand(line.App())
			t.got <- nil
		}
	}
}

// Close refuses the waiting calls and all later ones, and waits until every place was returned. A
// second Close does nothing more.
func (p *Places) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for line := p.waiting.Next(nil); line != nil; line = p.waiting.Next(nil) {
		if t := p.waiting.Take(line, 0); !t.over {
			t.got <- ErrClosed
		}
	}
	for p.free < p.size {
		p.left.Wait()
	}
}
