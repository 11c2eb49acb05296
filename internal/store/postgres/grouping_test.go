package postgres_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/pace"
	"github.com/skein-im/skein/internal/store/postgres"
)

// grouped is a store whose commits are counted, with a conversation.
type grouped struct {
	*race

	s    *postgres.Store
	conn *pgx.Conn
	conv skein.ID
}

func newGrouped(t *testing.T, p pace.Options) *grouped {
	url := server.Database(t)
	s, err := postgres.Open(t.Context(), postgres.Options{URL: url, Conns: 2, Pace: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	g := &grouped{race: &race{T: t, ctx: t.Context(), nodes: [2]store.Store{s, s}, ids: new(atomic.Uint64)}, s: s, conn: conn}
	g.must(s.CreateApp(g.ctx, skein.App{ID: "shop"}))
	_, err = s.CreateClients(g.ctx, "shop", []skein.Client{{ID: "ann"}, {ID: "bob"}})
	g.must(err)
	g.conv = g.group(skein.Group, "ann", "bob")
	return g
}

// send sends one message.
func (g *grouped) send() {
	_, _, err := g.s.Append(g.ctx, skein.Draft{App: "shop", Need: skein.NeedMember, Message: skein.Message{
		ID: g.newID(), Conv: g.conv, Sender: "ann", Created: 1, Body: skein.Body{Type: skein.TypeText, Text: "x"},
	}})
	if err != nil {
		g.Errorf("send: %v", err)
	}
}

// queued waits until so many messages wait for a commit.
func (g *grouped) queued(n int) {
	for g.s.Queued() < n {
		runtime.Gosched()
	}
}

// wantStored wants so many messages in the conversation, stored by so many commits: each has a row of batches.
func (g *grouped) wantStored(messages, commits int) {
	g.Helper()
	var stored, rows int
	g.must(g.conn.QueryRow(g.ctx, `SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM batches)`).Scan(&stored, &rows))
	if stored != messages || rows != commits {
		g.Errorf("got %d messages in %d commits, want %d in %d", stored, rows, messages, commits)
	}
}

func TestMessagesThatComeDuringACommitShareTheNextOne(t *testing.T) {
	g := newGrouped(t, pace.Options{})
	held, err := g.conn.Begin(g.ctx)
	g.must(err)
	_, err = held.Exec(g.ctx, `SELECT pg_advisory_xact_lock(conv_key) FROM conversations`)
	g.must(err)
	const more = 20
	var all sync.WaitGroup
	all.Go(g.send)
	for waits := false; !waits; { // for the lock, in its commit
		g.must(held.QueryRow(g.ctx, `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`).Scan(&waits))
	}
	for range more {
		all.Go(g.send)
	}
	g.queued(more)
	g.must(held.Commit(g.ctx))
	all.Wait()
	g.wantStored(1+more, 2)
}

func TestACommitStoresWhatComesWhileItWaits(t *testing.T) {
	var g *grouped
	var another sync.WaitGroup
	waits := 0
	g = newGrouped(t, pace.Options{
		Now: func() time.Time { return time.Unix(1, 0) },
		Sleep: func(time.Duration) {
			if waits++; waits == 1 {
				another.Go(g.send)
				g.queued(2)
			}
		},
	})
	sent := 0
	for ; waits == 0 && sent < 100; sent++ { // a commit waits now and then, to see whether others come
		g.send()
	}
	another.Wait()
	if waits == 0 {
		t.Fatalf("none of %d commits waited", sent)
	}
	g.wantStored(sent+1, sent)
}
