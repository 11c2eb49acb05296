package moves

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// What the memory says it knows is what a list of everything that ever moved says, also
// where moves are added later than others with a greater stamp.
func TestMovesAgainstAListOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := New(10)
		m.Limit = rapid.IntRange(1, 8).Draw(t, "limit")
		type conversation struct{ app, conv int64 }
		newest := map[conversation]int64{} // stamp
		begun := int64(10)
		some := rapid.Int64Range(1, 10)
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				begun += some.Draw(t, "pause")
				stamp := begun - rapid.Int64Range(0, 9).Draw(t, "late")
				var moved []Move
				for _, conv := range rapid.SliceOfN(some, 0, 5).Draw(t, "conversations") {
					moved = append(moved, Move{App: conv % 2, Conv: conv, Stamp: stamp})
					one := conversation{conv % 2, conv}
					newest[one] = max(newest[one], stamp)
				}
				m.Add(moved, begun)
			},
			"forget": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "seldom") == 0 {
					m.Forget(begun)
				}
			},
			"ask": func(t *rapid.T) {
				since, limit := rapid.Int64Range(begun-10, begun).Draw(t, "since"), rapid.IntRange(1, 12).Draw(t, "most")
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
		if m.Len() > m.Limit {
			t.Fatalf("%d are kept, the limit is %d", m.Len(), m.Limit)
		}
	})
}
