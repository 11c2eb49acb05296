package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
)

// Somebody stops the server, replaces the file by an older copy, and starts the server again.
// Once it has written, no clock can distinguish the two histories.
func TestACopyPutBackByHandIsAnotherHistory(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return at }
	s := newStore(t, Options{Now: clock})
	conv := newGroup(t, s)
	kept := endOfRound(t, s, skein.SyncCursor{})
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := schema.Backup(t.Context(), s.db.Engine().Path(), copied); err != nil {
		t.Fatal(err)
	}

	at = at.Add(time.Hour)
	appendMany(t, s, conv, "lost with the disk", 1, nil)
	lost := endOfRound(t, s, kept)

	at = at.Add(time.Hour)
	for range 3 { // a client returns long after the first start
		s = openStore(t, Options{Path: copied, Now: clock})
		appendMany(t, s, conv, "said anew", 1, nil)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Hour)
	}
	s = openStore(t, Options{Path: copied, Now: clock})
	for name, tt := range map[string]struct {
		cursor skein.SyncCursor
		reset  bool
	}{
		"from before the copy":          {kept, false},
		"from after it":                 {lost, true},
		"in the middle of a round then": {skein.SyncCursor{Epoch: kept.Epoch, Since: kept.Since, Upto: lost.Since, Key: 1}, true},
	} {
		page, err := s.Sync(t.Context(), "app", "ann", tt.cursor, 10)
		if err != nil || page.Reset != tt.reset {
			t.Errorf("a cursor %s: got reset %v, %v, want %v", name, page.Reset, err, tt.reset)
		}
	}
}

func TestACursorOutlivesRestarts(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "skein.db")
	s := newStore(t, Options{Path: path, Now: func() time.Time { return at }})
	conv := newGroup(t, s)
	var cursors []skein.SyncCursor
	for _, pause := range []time.Duration{0, time.Millisecond, time.Second, time.Hour, -time.Hour, 3 * time.Hour} {
		cursors = append(cursors, endOfRound(t, s, skein.SyncCursor{}))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		at = at.Add(pause)
		s = openStore(t, Options{Path: path, Now: func() time.Time { return at }})
		appendMany(t, s, conv, "hi", 2, nil)
		for i, cursor := range cursors {
			if page, err := s.Sync(t.Context(), "app", "ann", cursor, 10); err != nil || page.Reset {
				t.Errorf("cursor %d after a pause of %v: got reset %v, %v", i, pause, page.Reset, err)
			}
		}
	}
}

func TestACursorFromBeforeTheFirstCommitHolds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "skein.db")
	s := newStore(t, Options{Path: path})
	conv := newGroup(t, s)
	appendMany(t, s, conv, "hi", 1, nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, Options{Path: path})
	from := endOfRound(t, s, skein.SyncCursor{})
	if got := told(t, s, from); len(got) != 0 {
		t.Errorf("before anything moved: told of %v", got)
	}
	appendMany(t, s, conv, "hi", 1, nil)
	if got := told(t, s, from); len(got) != 1 {
		t.Errorf("after a message: told of %v", got)
	}
}

// endOfRound returns the cursor at the end of a round.
func endOfRound(t *testing.T, s *Store, from skein.SyncCursor) skein.SyncCursor {
	t.Helper()
	page, err := s.Sync(t.Context(), "app", "ann", from, 100)
	if err != nil || page.Reset || !page.Done {
		t.Fatalf("sync: got %+v, %v", page, err)
	}
	return page.Next
}
