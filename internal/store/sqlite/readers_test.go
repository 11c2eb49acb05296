package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/ncruces/go-sqlite3"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// forever is a query that ends only when it is interrupted.
const forever = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n`

func TestAReadEndsWithItsContext(t *testing.T) {
	s := newStore(t, Options{Readers: 1})
	ctx, cancel := context.WithCancel(t.Context())
	begun := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		err := tx.Read(ctx, s.db, "", func(c connection) error {
			close(begun)
			_, err := c.Row(nil, forever)
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("running: got error %v, want %v", err, context.Canceled)
		}
	})
	<-begun
	all.Go(func() {
		if _, _, err := s.Audience(ctx, "app", skein.ID{}, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("waiting: got error %v, want %v", err, context.Canceled)
		}
	})
	if _, err := s.App(t.Context(), "app"); err != nil {
		t.Errorf("meanwhile: an app is looked up: %v", err)
	}
	cancel()
	all.Wait()
	if _, _, err := s.Audience(t.Context(), "app", skein.ID{}, 0); err != nil {
		t.Fatalf("afterwards: %v", err)
	}
}

// flood starts n endless searches of an app, more than it may run at once, and waits until it
// has all the searchers it can get. It returns how many those are.
func flood(t *testing.T, s *Store, app string, n, running int) (searching *atomic.Int64, release func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	searching = new(atomic.Int64)
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			err := tx.Walk(ctx, s.db, app, func(c connection) error {
				if _, err := c.Row(nil, `SELECT 1`); err != nil {
					return err // on a reader, whose time limit is too short even for this
				}
				searching.Add(1)
				defer searching.Add(-1)
				_, err := c.Row(nil, forever)
				return err
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("a search of %s: got error %v, want %v", app, err, context.Canceled)
			}
		})
	}
	for searching.Load() < int64(running) {
		runtime.Gosched()
	}
	return searching, func() {
		cancel()
		all.Wait()
	}
}

// Two apps have more long searches than there are searchers. A third app's commands are still
// answered, and so are its searches, all of which need a searcher here.
func TestSearchesOfOneAppLeaveOthersTheirPart(t *testing.T) {
	s := newStore(t, Options{quickTime: 1, SearchTime: time.Hour})
	conv, _ := newTenant(t, s, "quiet", 3)
	one, release := flood(t, s, "flood1", 16, 2)
	defer release()
	two, release := flood(t, s, "flood2", 16, 1)
	defer release()
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"its app":  func() error { _, err := s.App(ctx, "quiet"); return err },
		"a client": func() error { _, err := s.Client(ctx, "quiet", "quiet-0"); return err },
		"a member": func() error { _, _, err := s.Conversation(ctx, "quiet", conv, "quiet-0"); return err },
		"a page":   func() error { _, err := s.Messages(ctx, "quiet", conv, skein.SeqRange{Limit: 20}); return err },
		"a sync":   func() error { _, err := s.Sync(ctx, "quiet", "quiet-0", skein.SyncCursor{}, 10); return err },
		"a list":   func() error { _, err := s.Views(ctx, "quiet", "quiet-0", skein.ViewQuery{Limit: 10}); return err },
		"a search": func() error {
			page, err := s.FindConversations(ctx, "quiet", skein.ConvQuery{Limit: 10, Count: true})
			if err == nil && page.Total != 1 {
				err = fmt.Errorf("got %d conversations, want 1", page.Total)
			}
			return err
		},
	} {
		if err := call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if one.Load() > 2 || two.Load() > 1 {
		t.Errorf("the floods hold %d and %d searchers, want at most 2 and 1", one.Load(), two.Load())
	}
}

// newWide creates n groups of the client "ann" with extends of a given length.
func newWide(t *testing.T, s *Store, n int) {
	t.Helper()
	newGroup(t, s)
	for i := range n {
		c := skein.Conversation{
			App: "app", ID: skein.ID(uuid.New()), Type: skein.Group, Created: skein.Millis(i),
			Extend: fmt.Appendf(nil, `{"pad":"%s","n":%d}`, strings.Repeat("x", 4000), i),
		}
		if _, _, err := s.CreateConversation(t.Context(), c, []skein.Member{{Client: "ann"}}, store.MemberLimit{}); err != nil {
			t.Fatal(err)
		}
	}
}

func wideQuery() skein.ConvQuery {
	q := skein.ConvQuery{Member: "ann", Limit: 10, Count: true}
	for range 20 {
		q.Where = append(q.Where, skein.Condition{Field: skein.FieldExtend, Path: []string{"n"}, Op: skein.Ge, Values: []any{int64(0)}})
	}
	return q
}

func TestASearchThatIsTooMuchEndsWithWhatWasTooMuch(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := newStore(t, Options{quickTime: 1, SearchTime: 1, Registerer: registry})
	newWide(t, s, 50)
	for name, call := range map[string]struct {
		do    func() error
		field string
	}{
		"a query": {func() error { _, err := s.FindConversations(t.Context(), "app", wideQuery()); return err }, "where"},
		"an update": {func() error {
			_, err := s.UpdateConversations(t.Context(), "app", store.Authority{}, wideQuery().Where, []byte(`{}`), 1)
			return err
		}, "where"},
		"a list": {func() error {
			_, err := s.Views(t.Context(), "app", "ann", skein.ViewQuery{Limit: 10})
			return err
		}, "conv.list"},
		"the clients": {func() error {
			_, err := s.Clients(t.Context(), "app", skein.ClientQuery{Limit: 10})
			return err
		}, "user.list"},
	} {
		err := call.do()
		fault, ok := errors.AsType[*skein.Fault](err)
		if !ok || !errors.Is(err, skein.ErrRateLimited) || fault.Field != call.field || fault.Retry == 0 || !strings.Contains(fault.Detail, "too much work") {
			t.Errorf("%s: got %v, want %v about %s", name, err, skein.ErrRateLimited, call.field)
		}
	}
	// Reads by key and syncs have no such limit.
	if page, err := s.Sync(t.Context(), "app", "ann", skein.SyncCursor{}, 10); err != nil || len(page.Views) != 10 {
		t.Errorf("a sync: got %d conversations, %v, want 10", len(page.Views), err)
	}
}

// The page and its total come from one pass over the candidates.
func TestASearchLooksOnce(t *testing.T) {
	s := newStore(t, Options{Readers: 1, quickTime: time.Hour})
	newWide(t, s, 30)
	looked := 0
	trace := func(look func(sqlite3.TraceEvent, any, any) error) {
		t.Helper()
		err := tx.Read(t.Context(), s.db, "", func(c connection) error { return c.DB.Trace(sqlite3.TRACE_STMT, look) })
		if err != nil {
			t.Fatal(err)
		}
	}
	trace(func(_ sqlite3.TraceEvent, _ any, sql any) error {
		if strings.Contains(fmt.Sprint(sql), "json_extract") {
			looked++
		}
		return nil
	})
	page, err := s.FindConversations(t.Context(), "app", wideQuery())
	trace(nil)
	if err != nil || page.Total != 30 || len(page.Conversations) != 10 || page.Next.IsZero() {
		t.Errorf("got %d of %d, %v, want 10 of 30", len(page.Conversations), page.Total, err)
	}
	if looked != 1 {
		t.Errorf("got %d statements with the conditions, want 1", looked)
	}
}
