package sqlite

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skein-im/skein"
)

func TestASyncTellsWhatMovedBeforeMemoryBegins(t *testing.T) {
	s := newStore(t, Options{})
	s.db.Moves.Limit = 3
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

// A client that follows the cursor while others write finally gets the last message of each
// conversation, and after that nothing more.
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

// told returns the conversations that a sync from a cursor returns to ann.
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
