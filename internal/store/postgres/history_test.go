package postgres_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres"
	"github.com/skein-im/skein/internal/store/postgres/pgtest"
	"github.com/skein-im/skein/internal/store/storetest"
)

// say stores the message of ann with a number. It tries until the store answers, and renews a lease
// between two tries as a node does.
func say(t *testing.T, s store.Store, conv skein.ID, n int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		_, _, err := s.Append(t.Context(), skein.Draft{App: "app", Need: skein.NeedMember, Message: skein.Message{
			ID: skein.ID(uuid.Must(uuid.NewV7())), Conv: conv, Sender: "ann", ClientMsgID: fmt.Sprint(n), Created: 2,
			Body: skein.Body{Type: skein.TypeText, Text: "hello"},
		}})
		if err == nil {
			return
		}
		if !errors.Is(err, skein.ErrUnavailable) || time.Now().After(end) {
			t.Fatal(err)
		}
		_, _, _ = s.RenewNode(t.Context(), "one", time.Minute) // the next try tells whether it went well
	}
}

// useIDs makes the server give ids to transactions of which it logs nothing.
func useIDs(t *testing.T, url string, n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), fmt.Sprintf(`DO $$ BEGIN FOR i IN 1..%d LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$`, n)); err != nil {
		t.Fatal(err)
	}
}

// After a crash PostgreSQL gives ids again that lie below a cursor. What such a transaction stores
// must be behind the cursor all the same.
func TestACursorSkipsNothingThoughPostgresCrashes(t *testing.T) {
	db := pgtest.Own(t)
	s := openOne(t, db.URL(), storetest.Options{})
	if _, _, err := s.RenewNode(t.Context(), "one", time.Minute); err != nil {
		t.Fatal(err)
	}
	conv := newGroup(t, s)
	say(t, s, conv, 1)
	useIDs(t, db.URL(), 1000)
	before, err := s.Sync(t.Context(), "app", "ann", skein.SyncCursor{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	_, mark, err := s.CutsSince(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Kill(), db.Restart(t.Context())); err != nil {
		t.Fatal(err)
	}
	say(t, s, conv, 2)
	if _, err := s.UpdateClient(t.Context(), "app", "ann", func(c *skein.Client) error { c.BannedUntil = skein.Forever; return nil }); err != nil {
		t.Fatal(err)
	}
	useIDs(t, db.URL(), 2000)
	after, err := s.Sync(t.Context(), "app", "ann", before.Next, 10)
	if err != nil || after.Reset || len(after.Views) != 1 || after.Views[0].LastSeq != 2 {
		t.Errorf("sync from the cursor %+v: got %+v, %v, want the conversation with seq 2", before.Next, after, err)
	}
	if cuts, _, err := s.CutsSince(t.Context(), mark, 10); err != nil || len(cuts) != 1 {
		t.Errorf("cuts since %d: got %v, %v, want the ban", mark, cuts, err)
	}
}

// A dump that is restored into another cluster holds stamps that the transactions there have not
// reached.
func TestADumpRestoredIntoAnotherClusterIsAnotherHistory(t *testing.T) {
	from, to := pgtest.Own(t), pgtest.Own(t)
	useIDs(t, from.URL(), 5000)
	s := openOne(t, from.URL(), storetest.Options{})
	conv := newGroup(t, s)
	say(t, s, conv, 1)
	before, err := s.Sync(t.Context(), "app", "ann", skein.SyncCursor{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	dump := filepath.Join(from.Dir(), "dump")
	err = errors.Join(from.Run(t.Context(), "pg_dump", "-d", from.URL(), "-f", dump), to.Run(t.Context(), "psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", to.URL(), "-f", dump))
	if err != nil {
		t.Fatal(err)
	}
	restored := openOne(t, to.URL(), storetest.Options{})
	say(t, restored, conv, 2)
	if page, err := restored.Sync(t.Context(), "app", "ann", before.Next, 10); err != nil || !page.Reset {
		t.Errorf("sync with a cursor of the other cluster: got %+v, %v, want a reset", page, err)
	}
	entries, _, err := restored.Feed(t.Context(), store.FeedStart, 100)
	told := 0
	for _, e := range entries {
		if e.Kind == store.EntryMessage {
			told++
		}
	}
	if err != nil || told != 2 {
		t.Errorf("the feed: got %d messages, %v, want both", told, err)
	}
	again, err := postgres.Open(t.Context(), postgres.Options{URL: to.URL()})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	first, err := restored.Sync(t.Context(), "app", "ann", skein.SyncCursor{}, 10)
	if page, err2 := again.Sync(t.Context(), "app", "ann", first.Next, 10); err != nil || err2 != nil || page.Reset {
		t.Errorf("sync after it was opened again: got %+v, %v, %v, want no reset", page, err, err2)
	}
}
