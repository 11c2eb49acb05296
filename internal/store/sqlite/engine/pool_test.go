package engine

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// Apps that wait for a reader are served by the time that their reads take.
func TestReadersAreSharedByTime(t *testing.T) {
	r := newEngine(t, Options{Readers: 1}).readers
	c, err := r.acquire(t.Context(), "flood")
	if err != nil {
		t.Fatal(err)
	}
	const each = 20
	var all sync.WaitGroup
	order := make(chan string, 2*each)
	took := map[string]time.Duration{"flood": 100 * time.Millisecond, "quiet": time.Millisecond}
	for _, app := range []string{"flood", "quiet"} {
		for range each {
			all.Go(func() {
				c, err := r.acquire(t.Context(), app)
				if err != nil {
					t.Error(err)
					return
				}
				order <- app
				r.release(c, app, took[app])
			})
		}
	}
	for waitingFor(r) < 2*each {
		runtime.Gosched()
	}
	r.release(c, "flood", took["flood"])
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
		t.Errorf("got %d reads of 100 ms before %d of 1 ms of another app, want at most 1", floods, each)
	}
}

func waitingFor(r *readers) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting.Of("flood").Len() + r.waiting.Of("quiet").Len()
}
