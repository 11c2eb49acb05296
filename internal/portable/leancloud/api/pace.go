package api

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Clock gives the time and waits. Tests pass their own.
type Clock interface {
	Now() time.Time
	// Sleep waits for d. If the context ends first, it returns the error of the context.
	Sleep(ctx context.Context, d time.Duration) error
}

// WallClock is the clock of the machine.
type WallClock struct{}

// Now returns the time of the machine.
func (WallClock) Now() time.Time { return time.Now() }

// Sleep waits for d or for the end of the context.
func (WallClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pace decides when a request may be sent. It bounds the requests a second, at once and a
// day, and stops all while LeanCloud has asked to wait. It is safe for concurrent use.
type pace struct {
	clock   Clock
	limiter *rate.Limiter
	slots   chan struct{}
	daily   *Daily // nil: no bound
	say     func(string)

	mu    sync.Mutex // guards what follows
	until time.Time  // no request is sent before
	row   int        // 429s in a row
	last  time.Time  // when the server last answered anything
}

func newPace(clock Clock, perSecond float64, d *Daily, say func(string)) *pace {
	return &pace{
		clock: clock, daily: d, say: say, last: clock.Now(),
		limiter: rate.NewLimiter(rate.Limit(perSecond), 1), // no burst, not even in the first second
		slots:   make(chan struct{}, MaxAtOnce),
	}
}

// turn waits until a request may be sent. If it returns nil, the caller calls leave after
// the request.
func (p *pace) turn(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := p.due(ctx); err != nil {
		p.leave()
		return err
	}
	return nil
}

func (p *pace) due(ctx context.Context) error {
	if p.daily != nil {
		if err := p.daily.take(ctx, p.clock, p.say); err != nil {
			return err
		}
	}
	now := p.clock.Now()
	wait := p.limiter.ReserveN(now, 1).DelayFrom(now)
	for wait > 0 {
		if err := p.clock.Sleep(ctx, wait); err != nil {
			return err
		}
		wait = p.held()
	}
	if wait = p.held(); wait > 0 {
		return p.clock.Sleep(ctx, wait)
	}
	return ctx.Err()
}

func (p *pace) held() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until.Sub(p.clock.Now())
}

func (p *pace) leave() { <-p.slots }

// answered notes that the server has answered.
func (p *pace) answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.row, p.last = 0, p.clock.Now()
}

// dead reports whether the server has not answered any request for a long time.
func (p *pace) dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clock.Now().Sub(p.last) > patience
}

// hold stops all requests after a 429: for as long as LeanCloud says, or if it does not say,
// longer each time.
func (p *pace) hold(wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	p.last = now
	if wait == 0 {
		if p.until.After(now) {
			return // another request was refused at the same time
		}
		wait = Backoff(p.row)
		p.row++
	}
	if until := now.Add(wait); until.After(p.until) {
		p.until = until
		if wait > 10*time.Second {
			p.say(fmt.Sprintf("LeanCloud asks to slow down (429): waiting %s", wait.Round(time.Second)))
		}
	}
}

// retry waits before the next try of one request.
func (p *pace) retry(ctx context.Context, try int, wait time.Duration) error {
	return p.clock.Sleep(ctx, max(wait, Backoff(try-1)))
}

// Backoff returns the pause before retry n, from 0. It doubles from half a second to a
// minute and is random by a quarter, so requests that failed together are not repeated
// together.
func Backoff(n int) time.Duration {
	d := maxPause
	if n < 10 {
		d = min(maxPause, firstPause<<n)
	}
	return d - rand.N(d/4+1) //nolint:gosec // spreads load, keeps no secret
}

// quota is called when LeanCloud says that the requests of the day are used up. With a daily
// bound the next request waits for tomorrow; without one the run ends.
func (p *pace) quota() error {
	if p.daily == nil {
		return ErrQuota
	}
	p.daily.spend()
	return nil
}
