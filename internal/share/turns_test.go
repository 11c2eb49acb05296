package share

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Apps that always wait have had as much as each other, give or take what one job of
// theirs costs, however many jobs they have, whatever each costs and was guessed to
// cost; and what waits for one app keeps its order.
func TestSharesAreEqualByCost(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		type item struct{ app, number, cost int }
		const most = 50 // cost of an item, in ms
		apps := rapid.IntRange(2, 5).Draw(r, "apps")
		s := NewTurns[item]()
		waiting, last, had := make([]int, apps), make([]int, apps), make([]int, apps)
		since := make([][]int, apps) // what all had received when this app came to wait
		pushed := 0
		push := func(app int) {
			if waiting[app] == 0 {
				since[app] = append([]int(nil), had...)
			}
			pushed++
			waiting[app]++
			s.Push(fmt.Sprint(app), item{app, pushed, rapid.IntRange(1, most).Draw(r, "cost")})
		}
		for range rapid.IntRange(1, 300).Draw(r, "steps") {
			for range rapid.IntRange(0, 3).Draw(r, "calls") {
				push(rapid.IntRange(0, apps-1).Draw(r, "app"))
			}
			sh := s.Next(nil)
			if sh == nil {
				continue
			}
			guess := time.Duration(rapid.IntRange(1, 2*most).Draw(r, "guess")) * time.Millisecond
			if rapid.Bool().Draw(r, "taken for nothing") {
				s.Take(sh, guess)
				s.PutBack(sh, guess)
				sh = s.Next(nil)
			}
			it := s.Take(sh, guess)
			s.Charge(sh, time.Duration(it.cost)*time.Millisecond-guess)
			sh.Release()
			if it.number <= last[it.app] {
				r.Fatalf("app %d: item %d came after item %d", it.app, it.number, last[it.app])
			}
			last[it.app] = it.number
			waiting[it.app]--
			had[it.app] += it.cost
			for a := range apps {
				for b := range apps {
					if waiting[a] == 0 || waiting[b] == 0 || a == it.app || it.app != b {
						continue
					}
					// Since both wait, which is since the later of the two came.
					from := since[a]
					if sum(since[b]) > sum(since[a]) {
						from = since[b]
					}
					if ahead := (had[b] - from[b]) - (had[a] - from[a]); ahead > 2*most {
						r.Fatalf("app %d had %d ms more than app %d while both waited, want at most %d", b, ahead, a, 2*most)
					}
				}
			}
		}
	})
}

func sum(all []int) (sum int) {
	for _, n := range all {
		sum += n
	}
	return sum
}

func TestAnAppWithoutADebtIsForgotten(t *testing.T) {
	s := NewTurns[int]()
	for i := range 10 * minSweep {
		sh := s.Push(fmt.Sprint(i), i)
		s.Take(sh, 0)
		sh.Release()
	}
	if len(s.apps) > 2*minSweep {
		t.Errorf("got %d apps remembered after each was served once, want at most %d", len(s.apps), 2*minSweep)
	}
}

// An app may not win by asking for one costly thing after another, each once the one
// before it is done.
func TestADebtOutlivesAPause(t *testing.T) {
	s := NewTurns[string]()
	s.Push("quick", "")
	for range 100 {
		s.Push("quick", "")
	}
	costly := 0
	for range 100 {
		if s.Of("costly").place < 0 {
			s.Push("costly", "")
		}
		sh := s.Next(nil)
		s.Take(sh, time.Millisecond)
		if sh.app == "costly" {
			s.Charge(sh, 49*time.Millisecond)
			costly++
		}
		sh.Release()
	}
	if costly > 2 {
		t.Errorf("got %d costly turns beside 98 that cost a fiftieth, want 2", costly)
	}
}
