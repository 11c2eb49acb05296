package sqlite

import (
	"testing"
	"time"

	"github.com/skein-im/skein"
)

func TestACursorOfAnotherHistoryAsksForANewBeginning(t *testing.T) {
	s := newStore(t, Options{})
	newGroup(t, s)
	page, err := s.Sync(t.Context(), "app", "ann", skein.SyncCursor{}, 9)
	if err != nil || !page.Done {
		t.Fatalf("got %+v, %v", page, err)
	}
	now, later := page.Next, page.Next.Since+int64(time.Hour/time.Microsecond)
	for name, tt := range map[string]struct {
		cursor skein.SyncCursor
		reset  bool
	}{
		"the one that was handed out": {now, false},
		"of the future":               {skein.SyncCursor{Epoch: now.Epoch, Since: later}, true},
		"of the future's round":       {skein.SyncCursor{Epoch: now.Epoch, Since: 1, Upto: later}, true},
		"of no epoch":                 {skein.SyncCursor{Since: now.Since}, true},
	} {
		page, err := s.Sync(t.Context(), "app", "ann", tt.cursor, 9)
		if err != nil || page.Reset != tt.reset {
			t.Errorf("%s: got reset %v, %v; want %v", name, page.Reset, err, tt.reset)
		}
	}
}
