package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres"
	"github.com/skein-im/skein/internal/store/storetest"
)

// pair is two nodes on one database, and a connection past them.
type pair struct {
	*testing.T

	nodes [2]*postgres.Store
	url   string
}

func openPair(t *testing.T, opt storetest.Options) pair {
	t.Helper()
	url := server.Database(t)
	return pair{t, [2]*postgres.Store{openWarm(t, url, opt), openWarm(t, url, opt)}, url}
}

func (p pair) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p pair) raw() *pgx.Conn {
	p.Helper()
	conn, err := pgx.Connect(p.Context(), p.url)
	p.must(err)
	p.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// login is a login of Tom on one of two nodes.
func loginOf(device string, n int) store.Login {
	return store.Login{Session: store.Session{
		App: "shop", Client: "Tom", Device: device, ID: fmt.Sprintf("%032x", n), Node: []string{"one", "two"}[n%2],
	}}
}

func TestOfRacingLoginsOneStaysAndNoGenerationIsGivenTwice(t *testing.T) {
	const n, rounds = 200, 10 // a round is few batches
	p := openPair(t, storetest.Options{})
	for _, node := range []string{"one", "two"} {
		_, _, err := p.nodes[0].RenewNode(t.Context(), node, time.Hour)
		p.must(err)
	}
	generations := map[int64]bool{}
	for round := range rounds {
		p.raceLogins(fmt.Sprint("Tom ", round), n, generations)
	}
}

// raceLogins lets logins of one device of a client enter on two nodes at the same moment.
func (p pair) raceLogins(client string, n int, generations map[int64]bool) {
	p.Helper()
	var mu sync.Mutex
	gone := map[string]int{}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			l := loginOf("phone", i)
			l.Client = client
			as, err := p.nodes[i%2].EnterSession(p.Context(), l)
			mu.Lock()
			defer mu.Unlock()
			if _, superseded := errors.AsType[*store.Superseded](err); superseded {
				gone[l.ID]++
				return
			}
			if err != nil {
				p.Errorf("login %d: %v", i, err)
			}
			if generations[as.Generation] {
				p.Errorf("generation %d was given twice, now to login %d", as.Generation, i)
			}
			generations[as.Generation] = true
			for _, d := range as.Displaced {
				gone[d.ID]++
			}
		})
	}
	all.Wait()
	left, err := p.nodes[1].SessionsOf(p.Context(), "shop", []string{client})
	p.must(err)
	if len(left) != 1 {
		p.Fatalf("sessions of %s left: got %d, want one", client, len(left))
	}
	for i := range n {
		id := fmt.Sprintf("%032x", i)
		want := 1
		if id == left[0].ID {
			want = 0
		}
		if gone[id] != want {
			p.Errorf("login %s of %s: told gone %d times, want %d", id, client, gone[id], want)
		}
	}
}

func TestAfterACrashNobodyIsSaidToBeOfflineForOneLease(t *testing.T) {
	var clock atomic.Int64
	clock.Store(1_700_000_000_000)
	p := openPair(t, storetest.Options{Now: func() time.Time { return time.UnixMilli(clock.Load()) }})
	ctx, s := t.Context(), p.nodes[0]
	renew := func(node string) (held bool) {
		_, held, err := s.RenewNode(ctx, node, 5*time.Second)
		p.must(err)
		return held
	}
	enter := func(l store.Login) int64 {
		as, err := s.EnterSession(ctx, l)
		p.must(err)
		return as.Generation
	}
	renew("one")
	renew("two")
	phone, desk := loginOf("phone", 0), loginOf("desk", 1)
	phone.Generation, desk.Generation = enter(phone), enter(desk)
	conn := p.raw()
	_, err := conn.Exec(ctx, `TRUNCATE nodes, sessions, refill`) // as a crash does
	p.must(err)

	if _, err := s.EnterSession(ctx, phone); !errors.Is(err, store.ErrNoLease) {
		t.Fatalf("a login after the crash: got %v, want %v", err, store.ErrNoLease)
	}
	if renew("one") {
		t.Fatal("node one is told that its sessions are there")
	}
	enter(phone)
	left, err := s.LeaveSessions(ctx, []store.Session{phone.Session}) // two has not entered the desk yet
	p.must(err)
	if len(left) != 1 || left[0].Last {
		t.Fatalf("the phone left before the desk was there again: got %+v, want a departure that is not the last", left)
	}
	renew("two")
	if got := enter(desk); got != desk.Generation {
		t.Errorf("the desk's generation: got %d, want %d", got, desk.Generation)
	}
	next := loginOf("tablet", 3)
	if got := enter(next); got>>10 < desk.Generation>>10+1000 {
		t.Errorf("a new login's generation: got %d, want one above all that may be lost, such as %d", got, desk.Generation)
	}
	tom, err := s.LeaveSessions(ctx, []store.Session{desk.Session, next.Session})
	p.must(err)
	if len(tom) != 2 || tom[1].Last {
		t.Fatalf("the others left within the lease: got %+v, want two departures, none the last", tom)
	}
	clock.Add(5001)
	renew("one")
	renew("two")
	over, err := s.ExpireNodes(ctx)
	p.must(err)
	last := 0
	for _, d := range over {
		if d.Last {
			last++
		}
	}
	if last != 1 {
		t.Errorf("departures told after one lease: got %+v, want one that is the last", over)
	}
}

func TestTheFeedSkipsNothingBesideLateTransactions(t *testing.T) {
	const writers, each = 4, 40
	p := openPair(t, storetest.Options{})
	ctx := t.Context()
	p.must(p.nodes[0].CreateApp(ctx, skein.App{ID: "shop"}))
	_, _, err := p.nodes[0].CreateClient(ctx, skein.Client{App: "shop", ID: "ann"})
	p.must(err)
	var convs [3]skein.ID
	var keys [3]int64
	for i := range convs {
		convs[i][15] = byte(i + 1)
		_, _, err := p.nodes[0].CreateConversation(ctx, skein.Conversation{App: "shop", ID: convs[i], Type: skein.Group}, []skein.Member{{Client: "ann"}}, store.MemberLimit{})
		p.must(err)
		p.must(p.raw().QueryRow(ctx, `SELECT conv_key FROM conversations WHERE id = $1`, convs[i]).Scan(&keys[i]))
	}
	start, err := p.nodes[0].FeedEnd(ctx)
	p.must(err)
	var done atomic.Bool
	var writing sync.WaitGroup
	var ids, committed atomic.Int64
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				d := skein.Draft{App: "shop", Need: skein.NeedMember, Message: skein.Message{Conv: convs[(w+i)%3], Sender: "ann", Body: skein.Body{Text: "hi"}}}
				n := ids.Add(1)
				d.ID[0], d.ID[14], d.ID[15] = 1, byte(n>>8), byte(n)
				if _, _, err := p.nodes[w%2].Append(ctx, d); err != nil {
					t.Error(err)
				}
			}
		})
		conn := p.raw()
		writing.Go(func() {
			for i := range each {
				if late(t, conn, convs[(w+i)%3], keys[(w+i)%3]) {
					committed.Add(1)
				}
			}
		})
	}
	var seqs [3]int64
	seen := int64(0)
	read := func(at store.FeedCursor) store.FeedCursor {
		entries, next, err := p.nodes[1].Feed(ctx, at, 7)
		p.must(err)
		for _, e := range entries {
			i := int(e.Conv[15]) - 1
			switch e.Kind {
			case store.EntryMessage:
				if seqs[i]++; e.Seq != seqs[i] {
					t.Fatalf("conversation %d: got seq %d, want %d", i, e.Seq, seqs[i])
				}
			case store.EntryMemberUpdated:
				seen++
				if e.Client != "kept" {
					t.Fatalf("got an event that was rolled back: %+v", e)
				}
				if e.Change != seqs[i] { // the last seq when it was written, under the lock
					t.Fatalf("conversation %d: an event written behind seq %d came behind %d", i, e.Change, seqs[i])
				}
			default:
				t.Fatalf("got %+v", e)
			}
		}
		return next
	}
	go func() {
		writing.Wait()
		done.Store(true)
	}()
	at := start
	for last := false; ; {
		next := read(at)
		if next == at && last {
			break
		}
		last, at = done.Load(), next
	}
	total := seqs[0] + seqs[1] + seqs[2]
	if total != writers*each || seen != committed.Load() {
		t.Errorf("got %d messages and %d events, want %d and %d", total, seen, writers*each, committed.Load())
	}
}

// late is a transaction that takes long: it writes an event under the lock of a conversation,
// one more in a savepoint that it rolls back, and then commits or not.
func late(t *testing.T, conn *pgx.Conn, conv skein.ID, key int64) (kept bool) {
	ctx := t.Context()
	x, err := conn.Begin(ctx)
	if err != nil {
		t.Error(err)
		return false
	}
	const event = `INSERT INTO events (xid, kind, at, app_id, conv_id, change_seq, client_id)
		VALUES (stamp(), 8, 0, 'shop', $1, (SELECT last_seq FROM conversations WHERE conv_key = $2), $3)`
	kept = rand.IntN(3) > 0
	name := map[bool]string{true: "kept", false: "lost"}[kept]
	_, err = x.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, key)
	if err == nil {
		_, err = x.Exec(ctx, event, conv, key, name)
	}
	if err == nil {
		save, err2 := x.Begin(ctx)
		if err = err2; err == nil {
			_, err = save.Exec(ctx, event, conv, key, "lost")
			err = errors.Join(err, save.Rollback(ctx))
		}
	}
	if err == nil {
		_, err = x.Exec(ctx, `SELECT pg_sleep($1)`, rand.Float64()/200)
	}
	if kept && err == nil {
		err = x.Commit(ctx)
	} else {
		err = errors.Join(err, x.Rollback(ctx))
	}
	if err != nil {
		t.Error(err)
	}
	return kept
}
