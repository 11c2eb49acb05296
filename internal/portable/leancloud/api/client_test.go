package api

import (
	"context"
	"sync"
	"testing"
	"time"
)

// quickClock does not wait: Sleep moves its time on.
type quickClock struct {
	mu     sync.Mutex
	passed time.Duration
}

func (c *quickClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.passed)
}

func (c *quickClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed += d
	return ctx.Err()
}

func TestNoMoreThanThirtyRequestsAreUnderWay(t *testing.T) {
	clock := &quickClock{}
	p := newPace(clock, 1e6, nil, func(string) {})
	for range 30 {
		if err := p.turn(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case p.slots <- struct{}{}:
		t.Error("the 31st may go, want that it waits until one has ended")
	default:
	}
}

func TestTheRateHoldsFromTheFirstSecondOn(t *testing.T) {
	clock := &quickClock{}
	began := clock.Now()
	p := newPace(clock, 30, nil, func(string) {})
	for range 91 {
		if err := p.turn(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.leave()
	}
	if took := clock.Now().Sub(began); took < 2900*time.Millisecond {
		t.Errorf("91 requests took %s, want 3 s at 30 a second", took)
	}
}

func TestA429StopsEverybodyAsLongAsItSays(t *testing.T) {
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"7": 7 * time.Second, " 90 ": 90 * time.Second, "Tue, 01 Dec 2026 00:00:05 GMT": 5 * time.Second,
		"": 0, "0": 0, "-3": 0, "soon": 0, "Tue, 01 Dec 2020 00:00:05 GMT": 0, "99999999999": 1e6 * time.Second,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("Retry-After %q: got %s, want %s", header, got, want)
		}
	}
	clock := &quickClock{}
	p := newPace(clock, 1e6, nil, func(string) {})
	p.hold(8 * time.Second)
	if err := p.turn(t.Context()); err != nil || clock.passed < 7900*time.Millisecond {
		t.Errorf("the next request waited %s (%v), want 8 s", clock.passed, err)
	}
}

func TestTheMasterKeyGoesOnlyWhereItIsSafe(t *testing.T) {
	for _, server := range []string{"http://api.example.com", "ftp://api.example.com", "api.example.com", "https://user:pass@api.example.com", ""} {
		if _, err := CheckServer(server); err == nil {
			t.Errorf("%q: got no error", server)
		}
	}
	for _, server := range []string{"https://api.example.com/", "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost:1"} {
		if _, err := CheckServer(server); err != nil {
			t.Errorf("%q: %v", server, err)
		}
	}
}
