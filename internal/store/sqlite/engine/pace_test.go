package engine

import (
	"testing"
	"time"
)

const commitTakes = 500 * time.Microsecond

// played is what commits did.
type played struct {
	waits   int
	writes  int
	longest time.Duration // wait of a commit
	delayed time.Duration // how long all writes waited until their commit began
}

// play plays n commits. A write comes each time `every` has passed; zero: a caller sends its
// next one as soon as the last is answered.
func (p *pacer) play(now *time.Time, n int, every time.Duration) (did played) {
	next := *now // when the next write comes
	for range n {
		if next.After(*now) && every > 0 {
			*now = next
		}
		var queued []time.Time
		come := func() {
			for every > 0 && !next.After(*now) {
				queued, next = append(queued, next), next.Add(every)
			}
		}
		if come(); every == 0 {
			queued = append(queued, *now)
		}
		if wait := p.delay(*now, queued[0], len(queued)); wait > 0 {
			before := len(queued)
			*now = now.Add(wait)
			come()
			p.waited(len(queued) - before)
			did.waits, did.longest = did.waits+1, max(did.longest, wait)
		}
		p.begin(*now, len(queued))
		did.writes += len(queued)
		for _, came := range queued {
			did.delayed += now.Sub(came)
		}
		*now = now.Add(commitTakes)
	}
	return did
}

func TestACommitWaitsForOthersWhereThatGathersSome(t *testing.T) {
	const n = 320
	for name, tt := range map[string]struct {
		every   time.Duration
		waits   int           // of n commits
		writes  float64       // a commit
		longest time.Duration // wait of a commit
		mean    time.Duration // wait of a write
	}{
		"a thousand writes a second":     {time.Millisecond, n, 2, 1200 * time.Microsecond, 700 * time.Microsecond},
		"two thousand writes a second":   {time.Millisecond / 2, n, 4, 1700 * time.Microsecond, 1100 * time.Microsecond},
		"writes that come seldom":        {2 * commitInterval, 0, 1, 0, 0},
		"so many that commits are full":  {commitTakes / (2 * enough), 0, 2 * enough, maxInterval, commitTakes},
		"one caller that waits for each": {0, n / retrial, 1, maxInterval, 100 * time.Microsecond},
	} {
		t.Run(name, func(t *testing.T) {
			p, now := pacer{gathered: 1}, time.Unix(1, 0)
			p.play(&now, 20*smoothing, tt.every)
			did := p.play(&now, n, tt.every)
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
	p, now := pacer{gathered: 1}, time.Unix(1, 0)
	p.play(&now, 1000, 0)
	if did := p.play(&now, 100, 0); did.waits > 100/retrial+1 {
		t.Fatalf("got %d waits in 100 commits that gathered nothing", did.waits)
	}
	p.play(&now, 8*retrial, time.Millisecond)
	if did := p.play(&now, 100, time.Millisecond); did.waits < 90 || did.writes < 190 {
		t.Errorf("got %d waits and %d writes in 100 commits at a thousand writes a second, want 100 and 200", did.waits, did.writes)
	}
}
