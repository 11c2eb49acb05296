package share

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

func queues() *Queue { return NewQueues().Of("read") }

// enter gets a place, which must be free for the app.
func enter(t *testing.T, p *Places, app string, q *Queue) {
	t.Helper()
	if got := tryAll(t, p, app, 1, q); got != 1 {
		t.Fatalf("%s got no place", app)
	}
}

// tryAll lets n calls of an app ask for a place and returns how many get one without waiting. The
// others give up.
func tryAll(t *testing.T, p *Places, app string, n int, q *Queue) (got int) {
	t.Helper()
	for range n {
		ctx, cancel := context.WithCancel(t.Context())
		answer := make(chan error, 1)
		go func() { answer <- p.Enter(ctx, app, q) }()
		for waitingCalls(p) == 0 && len(answer) == 0 {
			runtime.Gosched()
		}
		cancel()
		if err := <-answer; err == nil {
			got++
		} else if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	return got
}

// waitingCalls is how many calls wait and have not given up.
func waitingCalls(p *Places) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.waiting.apps {
		for _, t := range line.waiting[line.taken:] {
			if !t.over {
				n++
			}
		}
	}
	return n
}

func TestSlowCallsOfOneAppLeavePlacesForOthers(t *testing.T) {
	for _, tt := range []struct {
		size, weight int
		want         [3]int // places of three apps that each ask for all, one after the other
	}{
		{16, 3, [3]int{12, 3, 1}},
		{16, 1, [3]int{8, 4, 2}},
		{4, 1, [3]int{2, 1, 1}},
		{4, 0, [3]int{4, 0, 0}},
		{1, 3, [3]int{1, 0, 0}},
	} {
		p, q := NewPlaces(tt.size, tt.weight), queues()
		var got [3]int
		for i := range got {
			got[i] = tryAll(t, p, fmt.Sprint("app ", i), tt.size, q)
		}
		if got != tt.want {
			t.Errorf("%d places with a weight of %d: three apps got %v, want %v", tt.size, tt.weight, got, tt.want)
		}
	}
}

// Apps that wait for a place are served by the time that their calls take.
func TestPlacesAreSharedByTime(t *testing.T) {
	p, q := NewPlaces(1, 0), queues()
	enter(t, p, "flood", q)
	const each = 20
	var all sync.WaitGroup
	order := make(chan string, 2*each)
	took := map[string]time.Duration{"flood": 100 * time.Millisecond, "quiet": time.Millisecond}
	for app := range took {
		for range each {
			all.Go(func() {
				if err := p.Enter(t.Context(), app, q); err != nil {
					t.Error(err)
					return
				}
				order <- app
				p.Leave(app, took[app], q)
			})
		}
	}
	for waitingCalls(p) < 2*each {
		runtime.Gosched()
	}
	p.Leave("flood", took["flood"], q)
	all.Wait()
	close(order)
	floods, quiets := 0, 0
	for app := range order {
		if app == "quiet" {
			quiets++
		} else if quiets < each {
			floods++
		}
	}
	if floods > 1 {
		t.Errorf("got %d calls of 100 ms before %d of 1 ms of another app, want at most 1", floods, each)
	}
}

func TestACallThatGivesUpTakesNoPlaceWithIt(t *testing.T) {
	p, q := NewPlaces(1, 0), queues()
	for range 200 { // the place becomes free as the call gives up
		enter(t, p, "a", q)
		ctx, cancel := context.WithCancel(t.Context())
		answer := make(chan error, 1)
		go func() { answer <- p.Enter(ctx, "b", q) }()
		for waitingCalls(p) == 0 {
			runtime.Gosched()
		}
		go cancel()
		p.Leave("a", 0, q)
		if err := <-answer; err == nil {
			p.Leave("b", 0, q)
		}
	}
	enter(t, p, "a", q)
}

func TestClosedPlacesRefuseAndWaitForTheCallsUnderWay(t *testing.T) {
	p, q := NewPlaces(2, 1), queues()
	enter(t, p, "a", q)
	answer, closed := make(chan error, 1), make(chan struct{})
	go func() { answer <- p.Enter(t.Context(), "a", q) }() // it has its share
	for waitingCalls(p) == 0 {
		runtime.Gosched()
	}
	go func() {
		defer close(closed)
		p.Close()
	}()
	if err := <-answer; !errors.Is(err, ErrClosed) {
		t.Errorf("a waiting call got %v, want ErrClosed", err)
	}
	if err := p.Enter(t.Context(), "b", q); !errors.Is(err, ErrClosed) {
		t.Errorf("a later call got %v, want ErrClosed", err)
	}
	select {
	case <-closed:
		t.Error("Close did not wait for the call under way")
	default:
	}
	p.Leave("a", 0, q)
	<-closed
	p.Close()
}
