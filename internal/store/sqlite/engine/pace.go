package engine

import (
	"math"
	"time"
)

// A commit of one write costs nearly as much as a commit of ten: a sync, some system calls and
// some wake-ups. Under load, writes queue while the last commit is synced, so the next commit
// has many. At a thousand writes a second they do not queue, and nearly every write would pay
// for a commit of its own; see docs/decisions/0023.
const (
	// commitInterval is about the time between the starts of two commits, while waiting
	// gathers more writes: a commit waits for as many writes as usually come in that time.
	commitInterval = 2 * time.Millisecond
	maxInterval    = 5 * commitInterval / 4 // a commit that begins later than that does not wait
	slack          = 1.1                    // how much longer than usual the writes may take to come

	enough     = 16  // with this many writes in the queue, a commit does not wait for more
	worthwhile = 0.5 // a wait must gather at least this many writes on average, or commits stop waiting
	smoothing  = 8   // an average covers about this many commits or waits
	retrial    = 32  // after this many commits without a wait, one commit waits as a trial
)

// pacer delays a commit that follows the last one soon, so that more writes share it. It
// stops while waiting gathers nothing: a caller that sends one write after the other
// would only be slower. Owned by the writer's loop.
type pacer struct {
	last     time.Time // start of the last commit
	rate     float64   // writes that come in commitInterval, on average
	gathered float64   // writes that came during a wait, on average
	without  int       // commits since the last wait
}

// delay returns how long a commit should wait, given how many writes are in the queue and
// since when the oldest is: no longer than the others usually take to come after it.
func (p *pacer) delay(now, oldest time.Time, writes int) time.Duration {
	want := min(math.Round(p.rate), enough)
	if float64(writes) >= want || p.gathered < worthwhile && p.without < retrial {
		return 0
	}
	others := time.Duration(slack * (want - 1) / p.rate * float64(commitInterval))
	return min(oldest.Add(others).Sub(now), p.last.Add(maxInterval).Sub(now))
}

// waited notes how many writes a wait has gathered.
func (p *pacer) waited(writes int) {
	p.gathered += (float64(writes) - p.gathered) / smoothing
	p.without = 0
}

// begin notes that a commit of that many writes begins.
func (p *pacer) begin(now time.Time, writes int) {
	lately := float64(writes) * float64(commitInterval) / float64(max(now.Sub(p.last), 1))
	p.rate += (min(lately, enough) - p.rate) / smoothing
	p.last = now
	p.without++
}

// gather waits until there is something to commit, and then for more writes if that pays.
func (w *writer) gather() {
	writes, oldest := w.queue.await()
	if wait := w.pace.delay(time.Now(), oldest, writes); wait > 0 {
		sleep(wait)
		all := w.queue.depth()
		w.pace.waited(all - writes)
		writes = all
	}
	w.pace.begin(time.Now(), writes)
}
