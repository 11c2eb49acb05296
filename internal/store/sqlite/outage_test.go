package sqlite

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// A job on the writer's connection, or another connection, begins and ends each outage.
func TestOutage(t *testing.T) {
	for name, tt := range map[string]struct {
		begin func(t *testing.T, s *Store)
		lift  func(t *testing.T, s *Store)
	}{
		"the disk is full": {
			begin: func(t *testing.T, s *Store) {
				t.Helper()
				onWriter(t, s, `PRAGMA max_page_count = 1`)
			},
			lift: func(t *testing.T, s *Store) {
				t.Helper()
				onWriter(t, s, `PRAGMA max_page_count = 4294967294`)
			},
		},
		"the commit fails": {
			begin: func(t *testing.T, s *Store) {
				t.Helper()
				mustChange(t, s, func(g group) error {
					g.DB.CommitHook(func() bool { return g.DB.TotalChanges() == 0 })
					return nil
				}, skein.ErrUnavailable)
			},
			lift: func(t *testing.T, s *Store) {
				t.Helper()
				// A group that was rolled back did not change the hook.
				mustChange(t, s, func(g group) error { g.DB.CommitHook(nil); return nil }, nil)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var told []skein.Committed
			s := newStore(t, Options{Committed: func(sent []skein.Committed) { told = append(told, sent...) }})
			conv := newGroup(t, s)
			big := strings.Repeat("x", skein.MaxText)
			if _, _, err := s.Append(t.Context(), newDraft(conv, big)); err != nil {
				t.Fatal(err)
			}
			tt.begin(t, s)
			appendMany(t, s, conv, big, 20, skein.ErrUnavailable)
			wantDense(t, s, conv, 1)
			if err := s.CreateApp(t.Context(), skein.App{ID: "big", Name: strings.Repeat(big, 20)}); !errors.Is(err, skein.ErrUnavailable) {
				t.Fatalf("got error %v, want %v", err, skein.ErrUnavailable)
			}
			if err := s.Ping(t.Context()); err != nil {
				t.Fatalf("reads go on, yet ping answers %v", err)
			}
			tt.lift(t, s)
			appendMany(t, s, conv, big, 20, nil)
			wantDense(t, s, conv, 21)
			if len(told) != 21 {
				t.Fatalf("the hook was told of %d messages, want 21", len(told))
			}
			wantIntact(t, s)
		})
	}
}

// appendMany appends n messages at once and expects the same error for each.
func appendMany(t *testing.T, s *Store, conv skein.ID, text string, n int, want error) {
	t.Helper()
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if _, _, err := s.Append(t.Context(), newDraft(conv, text)); !errors.Is(err, want) {
				t.Errorf("got error %v, want %v", err, want)
			}
		})
	}
	all.Wait()
}

func TestAnotherHandleHoldsTheFile(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	mustChange(t, s, func(g group) error { return g.DB.BusyTimeout(time.Millisecond) }, nil)
	other, err := engine.OpenConn(s.db.Engine().Path(), sqlite3.OPEN_READWRITE, engine.Settings)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Exec(`BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Append(t.Context(), newDraft(conv, "hi")); !errors.Is(err, skein.ErrUnavailable) {
		t.Fatalf("got error %v, want %v", err, skein.ErrUnavailable)
	}
	if err := other.Exec(`ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Append(t.Context(), newDraft(conv, "hi")); err != nil {
		t.Fatal(err)
	}
	wantDense(t, s, conv, 1)
}

func TestAPanicHurtsItsOwnJobAlone(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	release := holdWriter(t, s)
	var all sync.WaitGroup
	all.Go(func() { appendMany(t, s, conv, "hi", 10, nil) })
	waitQueued(t, s, 10)
	for i := range 3 {
		all.Go(func() {
			err := tx.Change(t.Context(), s.db, func(g group) error {
				if err := g.Exec(`UPDATE apps SET name = 'half'`); err != nil {
					return err
				}
				panic(fmt.Sprint("boom ", i))
			})
			if !errors.Is(err, engine.ErrPanicked) {
				t.Errorf("got error %v, want %v", err, engine.ErrPanicked)
			}
		})
	}
	waitQueued(t, s, 13)
	all.Go(func() { appendMany(t, s, conv, "hi", 10, nil) })
	waitQueued(t, s, 23)
	release()
	all.Wait()
	wantDense(t, s, conv, 20)
	app, err := s.App(t.Context(), "app")
	if err != nil || app.Name != "" {
		t.Fatalf("got %q, %v: the job that panicked has left something", app.Name, err)
	}
	wantIntact(t, s)
}

func TestAHookThatPanicsKeepsNobodyWaiting(t *testing.T) {
	s := newStore(t, Options{Committed: func([]skein.Committed) { panic("boom") }})
	conv := newGroup(t, s)
	appendMany(t, s, conv, "hi", 3, nil)
	wantDense(t, s, conv, 3)
}

func TestAJobThatFailsLeavesItsNeighboursAlone(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	no := errors.New("no")
	release := holdWriter(t, s)
	var all sync.WaitGroup
	all.Go(func() { appendMany(t, s, conv, "hi", 5, nil) })
	all.Go(func() {
		err := tx.Change(t.Context(), s.db, func(g group) error {
			return errors.Join(g.Exec(`UPDATE apps SET name = 'half'`), g.Exec(`DELETE FROM messages`), no)
		})
		if !errors.Is(err, no) {
			t.Errorf("got error %v, want %v", err, no)
		}
	})
	waitQueued(t, s, 6)
	release()
	all.Wait()
	appendMany(t, s, conv, "hi", 5, nil)
	wantDense(t, s, conv, 10)
	if app, err := s.App(t.Context(), "app"); err != nil || app.Name != "" {
		t.Fatalf("got %q, %v", app.Name, err)
	}
}

func onWriter(t *testing.T, s *Store, sql string) {
	t.Helper()
	mustChange(t, s, func(g group) error { return g.DB.Exec(sql) }, nil)
}

func mustChange(t *testing.T, s *Store, fn func(group) error, want error) {
	t.Helper()
	if err := tx.Change(t.Context(), s.db, fn); !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func wantIntact(t *testing.T, s *Store) {
	t.Helper()
	var said string
	err := tx.Read(t.Context(), s.db, "", func(c connection) error {
		return c.Rows(func(r *sqlite3.Stmt) { said += r.ColumnText(0) }, `PRAGMA integrity_check`)
	})
	if err != nil || said != "ok" {
		t.Fatalf("integrity_check: %s, %v", said, err)
	}
}
