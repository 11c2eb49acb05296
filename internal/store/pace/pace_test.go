package pace

import (
	"testing"
	"time"
)

// The tests play on a clock of their own: no figure depends on the machine.
const (
	interval    = 2 * time.Millisecond
	commitTakes = 500 * time.Microsecond
)

// plan is a queue whose writes come by a plan, and the clock that the plan is for.
type plan struct {
	now   time.Time
	every time.Duration // a write comes each time it has passed; zero: see callers
	next  time.Time     // when the next one comes

	// callers that send the next write when the last is answered: the nth after n+1 times think.
	callers int
	think   time.Duration
	due     []time.Time

	queued []time.Time // when each write that waits came
}

func (s *plan) come() {
	for s.every > 0 && !s.next.After(s.now) {
		s.queued, s.next = append(s.queued, s.next), s.next.Add(s.every)
	}
	for len(s.due) > 0 && !s.due[0].After(s.now) {
		s.queued, s.due = append(s.queued, s.due[0]), s.due[1:]
	}
}

func (s *plan) Await() (int, time.Time) {
	if s.come(); len(s.queued) == 0 {
		if s.every > 0 {
			s.now = s.next
		} else {
			s.now = s.due[0]
		}
		s.come()
	}
	return len(s.queued), s.queued[0]
}

func (s *plan) Depth() int {
	s.come()
	return len(s.queued)
}

func (s *plan) pacer() *Pacer {
	return New(Options{
		Interval: interval,
		Now:      func() time.Time { return s.now },
		Sleep:    func(d time.Duration) { s.now = s.now.Add(d) },
	})
}

// played is what commits did.
type played struct {
	waits   int
	writes  int
	longest time.Duration // wait of a commit
	delayed time.Duration // how long all writes waited until their commit began
}

// play plays n commits.
func (s *plan) play(p *Pacer, n int) (did played) {
	if s.every > 0 && s.next.IsZero() {
		s.next = s.now
	}
	for range n {
		if len(s.queued)+len(s.due) == 0 {
			for i := range s.callers {
				s.due = append(s.due, s.now.Add(time.Duration(i+1)*s.think))
			}
		}
		s.Await()
		before := s.now
		if p.Gather(s); s.now.After(before) {
			did.waits, did.longest = did.waits+1, max(did.longest, s.now.Sub(before))
		}
		taken := s.queued
		s.queued = nil
		did.writes += len(taken)
		for _, came := range taken {
			did.delayed += s.now.Sub(came)
		}
		s.now = s.now.Add(commitTakes)
		if s.callers > 0 {
			for i := range taken {
				s.due = append(s.due, s.now.Add(time.Duration(i+1)*s.think))
			}
		}
	}
	return did
}

func TestACommitWaitsForOthersWhereThatGathersSome(t *testing.T) {
	const n = 320
	for name, tt := range map[string]struct {
		plan    plan
		waits   int           // of n commits
		writes  float64       // a commit
		longest time.Duration // wait of a commit
		mean    time.Duration // wait of a write
	}{
		"a thousand writes a second":     {plan{every: time.Millisecond}, n, 2, 1200 * time.Microsecond, 700 * time.Microsecond},
		"two thousand writes a second":   {plan{every: time.Millisecond / 2}, n, 4, 1700 * time.Microsecond, 1100 * time.Microsecond},
		"writes that come seldom":        {plan{every: 2 * interval}, 0, 1, 0, 0},
		"so many that commits are full":  {plan{every: commitTakes / (2 * enough)}, 0, 2 * enough, 5 * interval / 4, commitTakes},
		"one caller that waits for each": {plan{callers: 1, think: time.Microsecond}, n / retrial, 1, 5 * interval / 4, 100 * time.Microsecond},
		"eight callers that wait":        {plan{callers: 8, think: 20 * time.Microsecond}, n, 8, 600 * time.Microsecond, 600 * time.Microsecond},
	} {
		t.Run(name, func(t *testing.T) {
			s := tt.plan
			s.now = time.Unix(1, 0)
			p := s.pacer()
			p.gathered = 1
			s.play(p, 20*smoothing)
			did := s.play(p, n)
			if did.waits < tt.waits*9/10-1 || did.waits > tt.waits*11/10+1 {
				t.Errorf("got %d waits in %d commits, want about %d", did.waits, n, tt.waits)
			}
			if each := float64(did.writes) / n; each < tt.writes*0.9 || each > tt.writes*1.1 {
				t.Errorf("got %.2f writes a commit, want about %v", each, tt.writes)
			}
			if did.longest > tt.longest {
				t.Errorf("a commit waited %v, want at most %v", did.longest, tt.longest)
			}
			if mean := did.delayed / time.Duration(did.writes); mean > tt.mean {
				t.Errorf("a write waited %v on average, want at most %v", mean, tt.mean)
			}
		})
	}
}

func TestACommitWaitsAgainOnceOthersCome(t *testing.T) {
	s := &plan{now: time.Unix(1, 0), callers: 1, think: time.Microsecond}
	p := s.pacer()
	p.gathered = 1
	s.play(p, 1000)
	if did := s.play(p, 100); did.waits > 100/retrial+1 {
		t.Fatalf("got %d waits in 100 commits that gathered nothing", did.waits)
	}
	s.callers, s.due, s.queued, s.every = 0, nil, nil, time.Millisecond
	s.play(p, 8*retrial)
	if did := s.play(p, 100); did.waits < 90 || did.writes < 190 {
		t.Errorf("got %d waits and %d writes in 100 commits at a thousand writes a second, want 100 and 200", did.waits, did.writes)
	}
}
