package leancloud

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Clock is the time as a dump sees it, so that tests own it.
type Clock interface {
	Now() time.Time
	// Sleep ends early with the error of the context.
	Sleep(ctx context.Context, d time.Duration) error
}

// wallClock is the time of the machine.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pace decides when a request may go: at most so many a second, so many at once and so
// many a day, and none while LeanCloud has asked to wait. It is safe for concurrent use.
type pace struct {
	clock   Clock
	limiter *rate.Limiter
	slots   chan struct{}
	daily   *daily // nil: no bound
	say     func(string)

	mu    sync.Mutex // guards what follows
	until time.Time  // nobody asks before
	row   int        // 429s in a row
	last  time.Time  // when the server last answered anything
}

func newPace(clock Clock, perSecond float64, d *daily, say func(string)) *pace {
	return &pace{
		clock: clock, daily: d, say: say, last: clock.Now(),
		limiter: rate.NewLimiter(rate.Limit(perSecond), 1), // in any second no more, also in the first
		slots:   make(chan struct{}, maxAtOnce),
	}
}

// turn waits until a request may go. Whoever got nil calls leave.
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

// answered notes that the server is there.
func (p *pace) answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.row, p.last = 0, p.clock.Now()
}

// dead says that the server has not answered anything for long.
func (p *pace) dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clock.Now().Sub(p.last) > patience
}

// hold stops everybody after a 429: as long as LeanCloud says, or longer each time.
func (p *pace) hold(wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	p.last = now
	if wait == 0 {
		if p.until.After(now) {
			return // others were refused at the same moment
		}
		wait = backoff(p.row)
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
	return p.clock.Sleep(ctx, max(wait, backoff(try-1)))
}

// backoff doubles from firstPause to maxPause and is up to a quarter less, so that
// requests that failed together do not come again together.
func backoff(n int) time.Duration {
	d := maxPause
	if n < 10 {
		d = min(maxPause, firstPause<<n)
	}
	return d - rand.N(d/4+1) //nolint:gosec // spreads load, keeps no secret
}

// quota waits for the next day where the run has a daily bound, and ends it otherwise:
// LeanCloud says that the day's requests are used up.
func (p *pace) quota() error {
	if p.daily == nil {
		return errQuota
	}
	p.daily.spend()
	return nil
}
