package sqlite

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/skein-im/skein"
)

// What moves says it knows is what a list of everything that ever moved says.
func TestMovesAgainstAListOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMoves(10)
		m.limit = rapid.IntRange(1, 8).Draw(t, "limit")
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
				if got, complete := m.since(since, 1, limit); complete {
					slices.Sort(got)
					if !slices.Equal(got, want) {
						t.Fatalf("since %d: got %v, want %v", since, got, want)
					}
				} else if m.covers(since) && len(want) < limit {
					t.Fatalf("since %d: %v are not told, of at most %d", since, want, limit)
				}
				for conv := int64(1); conv <= 10; conv += 2 {
					all = append(all, conv)
				}
				if got, complete := m.moved(since, all, limit); complete && !slices.Equal(got, want[:min(limit, len(want))]) {
					t.Fatalf("of %v since %d: got %v, want %v", all, since, got, want)
				} else if complete != m.covers(since) {
					t.Fatalf("since %d: complete %v, covered %v", since, complete, m.covers(since))
				}
			},
		})
		if len(m.all) > m.limit {
			t.Fatalf("%d are kept, the limit is %d", len(m.all), m.limit)
		}
	})
}

func TestASyncTellsWhatMovedBeforeMemoryBegins(t *testing.T) {
	s := newStore(t, Options{})
	s.writer.moves.limit = 3
	var convs []skein.ID
	for range 10 {
		convs = append(convs, newGroup(t, s))
	}
	from := endOfRound(t, s, skein.SyncCursor{})
	for i, conv := range convs {
		appendMany(t, s, conv, "hi", 1, nil)
		if got := told(t, s, from); len(got) != i+1 {
			t.Errorf("after %d moved: told of %d", i+1, len(got))
		}
	}
	from = endOfRound(t, s, from)
	if got := told(t, s, from); len(got) != 0 {
		t.Errorf("when nothing had moved: told of %v", got)
	}
	appendMany(t, s, convs[4], "hi", 1, nil)
	if got := told(t, s, from); !slices.Equal(got, convs[4:5]) {
		t.Errorf("told of %v, want %v", got, convs[4:5])
	}
}

func TestASyncTellsWhatAnotherProcessMoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "skein.db")
	s := newStore(t, Options{Path: path})
	one, two := newGroup(t, s), newGroup(t, s)
	other := openStore(t, Options{Path: path})
	from := endOfRound(t, s, skein.SyncCursor{})
	appendMany(t, other, one, "from outside", 1, nil)
	appendMany(t, s, two, "from inside", 1, nil)
	if got := told(t, s, from); len(got) != 2 {
		t.Errorf("told of %v, want %v and %v", got, one, two)
	}
}

// Whoever follows the cursor while others write hears of the last message of each
// conversation in the end, and of nothing once that is told.
func TestSyncsBesideWritesMissNothing(t *testing.T) {
	s := newStore(t, Options{})
	var convs []skein.ID
	for range 8 {
		convs = append(convs, newGroup(t, s))
	}
	const rounds = 200
	var wrote atomic.Bool
	var writers sync.WaitGroup
	for _, conv := range convs {
		writers.Go(func() {
			for i := range rounds {
				if _, _, err := s.Append(t.Context(), newDraft(conv, fmt.Sprint(i))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	go func() {
		writers.Wait()
		wrote.Store(true)
	}()
	last, from := map[skein.ID]int64{}, skein.SyncCursor{}
	follow := func() {
		for done := false; !done; {
			page, err := s.Sync(t.Context(), "app", "ann", from, 3)
			if err != nil || page.Reset {
				t.Fatalf("got %+v, error %v", page, err)
			}
			for _, v := range page.Views {
				last[v.ID] = v.LastSeq
			}
			from, done = page.Next, page.Done
		}
	}
	for !wrote.Load() {
		follow()
	}
	follow()
	for _, conv := range convs {
		if last[conv] != rounds {
			t.Errorf("%s: told of seq %d, want %d", conv, last[conv], rounds)
		}
	}
	if got := told(t, s, from); len(got) != 0 {
		t.Errorf("told again of %v", got)
	}
}

// told are the conversations that ann is told of since a cursor.
func told(t *testing.T, s *Store, from skein.SyncCursor) (convs []skein.ID) {
	t.Helper()
	page, err := s.Sync(t.Context(), "app", "ann", from, 100)
	if err != nil || page.Reset || !page.Done {
		t.Fatalf("got %+v, error %v", page, err)
	}
	for _, v := range page.Views {
		convs = append(convs, v.ID)
	}
	return convs
}
