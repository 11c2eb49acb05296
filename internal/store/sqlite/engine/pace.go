package engine

import "time"

// A commit of one write costs nearly what a commit of ten does: a sync, some system
// calls and some wake-ups. Under load commits fill by themselves, since writes queue
// while the last commit is synced. At a thousand writes a second they do not, and nearly
// every write would pay for a commit of its own; see docs/decisions/0023.
const (
	// commitInterval is the least time between the starts of two commits, while waiting
	// gathers more writes.
	commitInterval = 2 * time.Millisecond

	enough     = 16  // with so many writes in the queue, a commit does not wait for more
	worthwhile = 0.5 // a wait must gather so many writes on average, or commits stop waiting
	smoothing  = 8   // the average covers about this many waits
	retrial    = 32  // after so many commits without a wait, one waits again to see
)

// pacer delays a commit that follows the last one soon, so that more writes share it. It
// stops while waiting gathers nothing: a caller that sends one write after the other
// would only be slower. Owned by the writer's loop.
type pacer struct {
	last     time.Time // start of the last commit
	gathered float64   // writes that came during a wait, on average
	without  int       // commits since the last wait
}

// delay returns how long a commit should wait, given how many writes are in the queue.
func (p *pacer) delay(now time.Time, writes int) time.Duration {
	left := commitInterval - now.Sub(p.last)
	if left <= 0 || writes >= enough {
		return 0
	}
	if p.gathered < worthwhile && p.without < retrial {
		return 0
	}
	return left
}

// waited notes how many writes a wait has gathered.
func (p *pacer) waited(writes int) {
	p.gathered += (float64(writes) - p.gathered) / smoothing
	p.without = 0
}

// begin notes that a commit begins.
func (p *pacer) begin(now time.Time) {
	p.last = now
	p.without++
}

// gather waits until there is something to commit, and then for more where that pays.
func (w *writer) gather() {
	writes := w.queue.await()
	if wait := w.pace.delay(time.Now(), writes); wait > 0 {
		sleep(wait)
		w.pace.waited(w.queue.depth() - writes)
	}
	w.pace.begin(time.Now())
}
