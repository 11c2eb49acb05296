package engine

import (
	"testing"
	"time"
)

// commits plays commits of which each could begin after a gap, with writes in it, and
// says how many waited and for how long. Each wait gathers so many writes more.
func (p *pacer) commits(now *time.Time, n int, gap time.Duration, writes, gathers int) (waits int, longest time.Duration) {
	for range n {
		*now = now.Add(gap)
		if wait := p.delay(*now, writes); wait > 0 {
			*now = now.Add(wait)
			waits, longest = waits+1, max(longest, wait)
			p.waited(gathers)
		}
		p.begin(*now)
	}
	return waits, longest
}

func TestACommitWaitsForOthersWhereThatGathersSome(t *testing.T) {
	const n = 320
	for name, tt := range map[string]struct {
		gap             time.Duration
		writes, gathers int
		want            int // waits, at most and at least within a tenth
	}{
		"a thousand writes a second":           {time.Millisecond, 1, 1, n},
		"writes that come seldom":              {2 * commitInterval, 1, 1, 0},
		"so many that the commit is cheap":     {0, enough, 100, 0},
		"one caller that waits for each":       {commitInterval / 4, 1, 0, n / retrial},
		"one caller whose commits take long":   {2 * commitInterval, 1, 0, 0},
		"more than one, but fewer than enough": {time.Millisecond, enough - 1, 2, n},
	} {
		t.Run(name, func(t *testing.T) {
			p, now := pacer{gathered: 1}, time.Unix(1, 0)
			p.begin(now)
			waits, longest := p.commits(&now, n, tt.gap, tt.writes, tt.gathers)
			if waits < tt.want*9/10-1 || waits > tt.want*11/10+smoothing {
				t.Errorf("got %d waits in %d commits, want about %d", waits, n, tt.want)
			}
			if longest > commitInterval {
				t.Errorf("a commit waited %v, want at most %v", longest, commitInterval)
			}
		})
	}
}

func TestACommitWaitsAgainOnceOthersCome(t *testing.T) {
	p, now := pacer{gathered: 1}, time.Unix(1, 0)
	p.commits(&now, 1000, commitInterval/4, 1, 0)
	if waits, _ := p.commits(&now, 100, commitInterval/4, 1, 0); waits > 100/retrial+1 {
		t.Fatalf("got %d waits in 100 commits that gathered nothing", waits)
	}
	p.commits(&now, 3*retrial, commitInterval/4, 1, 3)
	if waits, _ := p.commits(&now, 100, commitInterval/4, 1, 3); waits != 100 {
		t.Errorf("got %d waits in 100 commits that gathered 3 writes each, want 100", waits)
	}
}
