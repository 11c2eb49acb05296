// Package pace decides when a group commit begins: at once, or a little later, so that more
// writes share it. It knows no engine.
package pace

import (
	"math"
	"time"
)

// A commit of one write costs nearly as much as a commit of ten: a sync, some system calls or
// round trips, and some wake-ups. Under load, writes queue while the last commit is under way, so
// the next commit has many. At a thousand writes a second they do not queue, and nearly every
// write would pay for a commit of its own; see docs/decisions/0023.
const (
	slack = 1.1 // how much longer than usual the writes may take to come

	enough     = 16  // with this many writes in the queue, a commit does not wait for more
	worthwhile = 0.5 // a wait must gather at least this many writes on average, or commits stop waiting
	smoothing  = 8   // an average covers about this many commits or waits
	retrial    = 32  // after this many commits without a wait, one commit waits as a trial
	patience   = 2   // a wait ends when no write came for this many times the usual pause between two
)

// Options configure a Pacer.
type Options struct {
	// Interval is about the time between the starts of two commits, while waiting gathers more
	// writes: a commit waits for as many writes as usually come in that time. The dearer a
	// commit is, the longer it should be. A commit that begins later than 5/4 of it after the
	// last one does not wait.
	Interval time.Duration

	Now   func() time.Time    // default time.Now
	Sleep func(time.Duration) // default: a system call, see sleep
}

// Pacer delays a commit that follows the last one soon, so that more writes share it. It
// stops while waiting gathers nothing: a caller that sends one write after the other
// would only be slower. All methods but Now belong to the goroutine that commits.
type Pacer struct {
	opt      Options
	last     time.Time // start of the last commit
	rate     float64   // writes that come in Options.Interval, on average
	gathered float64   // writes that came during a wait, on average
	without  int       // commits since the last wait
}

// New makes a Pacer.
func New(opt Options) *Pacer {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Sleep == nil {
		opt.Sleep = sleep
	}
	return &Pacer{opt: opt}
}

// Now is the time by the Pacer's clock. Safe for concurrent use.
func (p *Pacer) Now() time.Time { return p.opt.Now() }

// Queue is the writes that wait for a commit.
type Queue interface {
	// Await blocks until writes wait, and returns how many, and since when the one that is next
	// waits. Zero: none will come any more.
	Await() (writes int, since time.Time)
	// Depth is how many writes wait.
	Depth() int
}

// Gather waits until there is something to commit, and then for more writes if that pays. The
// caller commits what the queue has then.
func (p *Pacer) Gather(q Queue) {
	writes, oldest := q.Await()
	now := p.opt.Now()
	if wait := p.delay(now, oldest, writes); wait > 0 {
		all := p.wait(q, now, wait, writes)
		p.gathered += (float64(all-writes) - p.gathered) / smoothing
		p.without = 0
		writes, now = all, p.opt.Now()
	}
	p.begin(now, writes)
}

// delay returns how long a commit may wait, given how many writes are in the queue and
// since when the oldest is: no longer than the others usually take to come after it.
func (p *Pacer) delay(now, oldest time.Time, writes int) time.Duration {
	want := p.want()
	if float64(writes) >= want || p.gathered < worthwhile && p.without < retrial {
		return 0
	}
	others := time.Duration(slack * (want - 1) / p.rate * float64(p.opt.Interval))
	return min(oldest.Add(others).Sub(now), p.last.Add(5*p.opt.Interval/4).Sub(now))
}

// want is how many writes are worth waiting for.
func (p *Pacer) want() float64 { return min(math.Round(p.rate), enough) }

// wait waits for more writes, at most that long, and returns how many there are then. Callers
// that send their next write when the last is answered come together, soon after a commit; then
// nobody comes any more, and the wait ends.
func (p *Pacer) wait(q Queue, now time.Time, long time.Duration, writes int) int {
	end, step := now.Add(long), time.Duration(patience/p.rate*float64(p.opt.Interval))
	for left := long; left > 0; left = end.Sub(p.opt.Now()) {
		p.opt.Sleep(min(step, left))
		all := q.Depth()
		if all == writes || float64(all) >= p.want() {
			return all
		}
		writes = all
	}
	return writes
}

// begin notes that a commit of that many writes begins.
func (p *Pacer) begin(now time.Time, writes int) {
	lately := float64(writes) * float64(p.opt.Interval) / float64(max(now.Sub(p.last), 1))
	p.rate += (min(lately, enough) - p.rate) / smoothing
	p.last = now
	p.without++
}
