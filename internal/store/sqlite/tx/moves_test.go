package tx

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// What moves says it knows is what a list of everything that ever moved says.
func TestMovesAgainstAListOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMoves(10)
		m.Limit = rapid.IntRange(1, 8).Draw(t, "limit")
		newest := map[move]int64{} // stamp by app and conversation
		stamp := int64(10)
		some := rapid.Int64Range(1, 10)
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				stamp += some.Draw(t, "pause")
				var moved []move
				for _, conv := range rapid.SliceOfN(some, 0, 5).Draw(t, "conversations") {
					one := move{app: conv % 2, conv: conv}
					moved = append(moved, one)
					newest[one] = stamp
				}
				m.add(moved, stamp)
			},
			"forget": func(*rapid.T) { m.forget(stamp) },
			"ask": func(t *rapid.T) {
				since, limit := rapid.Int64Range(0, stamp).Draw(t, "since"), rapid.IntRange(1, 12).Draw(t, "most")
				var want, all []int64
				for one, at := range newest {
					if at > since && one.app == 1 {
						want = append(want, one.conv)
					}
				}
				slices.Sort(want)
				if got, complete := m.Since(since, 1, limit); complete {
					slices.Sort(got)
					if !slices.Equal(got, want) {
						t.Fatalf("since %d: got %v, want %v", since, got, want)
					}
				} else if m.Covers(since) && len(want) < limit {
					t.Fatalf("since %d: %v are not told, of at most %d", since, want, limit)
				}
				for conv := int64(1); conv <= 10; conv += 2 {
					all = append(all, conv)
				}
				if got, complete := m.Moved(since, all, limit); complete && !slices.Equal(got, want[:min(limit, len(want))]) {
					t.Fatalf("of %v since %d: got %v, want %v", all, since, got, want)
				} else if complete != m.Covers(since) {
					t.Fatalf("since %d: complete %v, covered %v", since, complete, m.Covers(since))
				}
			},
		})
		if len(m.all) > m.Limit {
			t.Fatalf("%d are kept, the limit is %d", len(m.all), m.Limit)
		}
	})
}
