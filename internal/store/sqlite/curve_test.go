package sqlite

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// The curves measure what one operation costs at several amounts of stored data.
// docs/performance.md says that these costs must not grow. `make curves` runs them and reads
// their names: the operation, what grows, and how far.

var large = flag.Bool("curve.large", false, "fill stores of 10 million messages and conversations too, which takes minutes")

// sizes are 1,000, 1,000,000 and one between. With -short they are small.
func sizes() []int {
	all := []int{1000, 100_000, 1_000_000}
	switch {
	case testing.Short():
		return []int{1000, 10_000}
	case *large:
		return append(all, 10_000_000)
	}
	return all
}

// curve measures an operation at each size, then repeats the series, so that other load on the
// machine affects all sizes alike.
func curve(b *testing.B, work, of string, sizes []int, measure func(b *testing.B, at int)) {
	b.Helper()
	repetitions := 5
	if testing.Short() {
		repetitions = 1
	}
	for range repetitions {
		for at, n := range sizes {
			b.Run(fmt.Sprintf("%s/%s=%d", work, of, n), func(b *testing.B) { measure(b, at) })
		}
	}
}

// cost reports what an operation costs the process, which does n of them at once.
func cost(b *testing.B, unit string, n int, do func()) {
	b.Helper()
	start := cpuTime(b)
	do()
	b.ReportMetric(float64((cpuTime(b)-start).Nanoseconds())/1000/float64(n), "CPU-µs/"+unit)
	b.ReportMetric(0, "ns/op") // suppresses it
}

// costEach reports what an operation costs if calls follow one another.
func costEach(b *testing.B, unit string, work func() error) {
	b.Helper()
	const n = 1000
	cost(b, unit, n, func() {
		for range n {
			if err := work(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkCurveConversation is one conversation of many messages: pages of 20, and
// sends.
func BenchmarkCurveConversation(b *testing.B) {
	var stores []*Store
	var convs []skein.ID
	for _, n := range sizes() {
		s := openBench(b)
		conv := benchPairs(b, s, 1)[0]
		fillMessages(b, s, conv, n)
		stores, convs = append(stores, reopen(b, s)), append(convs, conv)
	}
	curvePages(b, stores, convs)
	for _, s := range stores {
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	for _, id := range []struct {
		work  string
		named func() string
	}{{"send, ids by time", idByTime}, {"send, ids at random", uuid.NewString}} {
		curve(b, id.work, "messages", sizes(), func(b *testing.B, at int) {
			costSends(b, aside(b, stores[at].db.Engine().Path()), func() (skein.ID, string) { return convs[at], "alice" }, id.named)
		})
	}
}

// curvePages reads the newest page of conversations of all sizes, and random pages of the largest.
func curvePages(b *testing.B, stores []*Store, convs []skein.ID) {
	const size = 20
	page := func(number, n int) skein.SeqRange { // as msg.list reads its pages
		return skein.SeqRange{Limit: size, Newest: true, Before: int64(n - (number-1)*size + 1)}
	}
	for _, read := range []struct {
		work string
		next func(n int) skein.SeqRange
	}{
		{"newest page", func(int) skein.SeqRange { return skein.SeqRange{Limit: size, Newest: true} }},
		{"deep page", func(n int) skein.SeqRange { return skein.SeqRange{Limit: size, After: rand.Int64N(int64(n - size))} }},
		{"last page", func(n int) skein.SeqRange { return page(n/size, n) }},
	} {
		curve(b, read.work, "messages", sizes(), func(b *testing.B, at int) {
			costPages(b, stores[at], convs[at], func() skein.SeqRange { return read.next(sizes()[at]) })
		})
	}
	last := len(stores) - 1
	n := sizes()[last]
	var pages []int
	for number := 1; number < n/size; number *= 10 {
		pages = append(pages, number)
	}
	pages = append(pages, n/size)
	curve(b, "page of the largest", "page", pages, func(b *testing.B, at int) {
		costPages(b, stores[last], convs[last], func() skein.SeqRange { return page(pages[at], n) })
	})
}

func costPages(b *testing.B, s *Store, conv skein.ID, next func() skein.SeqRange) {
	costEach(b, "page", func() error {
		page, err := s.Messages(b.Context(), "app", conv, next())
		if err == nil && len(page) != 20 {
			err = fmt.Errorf("a page of %d", len(page))
		}
		return err
	})
}

// BenchmarkCurveApp is an app of many clients, each in two conversations. It measures a sync of
// a client with 50 conversations of which 3 changed, the read behind a login, and sends to 500
// of these conversations and to any of them.
func BenchmarkCurveApp(b *testing.B) {
	var stores []*Store
	var returns []comeback
	for _, n := range sizes() {
		s := openBench(b)
		fillApp(b, s, n)
		s = reopen(b, s)
		stores, returns = append(stores, s), append(returns, newComeback(b, s, 50))
	}
	curve(b, "sync", "conversations", sizes(), func(b *testing.B, at int) { returns[at].cost(b) })
	curve(b, "read behind a login", "conversations", sizes(), func(b *testing.B, at int) {
		costEach(b, "login", func() error {
			_, err := stores[at].Client(b.Context(), "app", clientAt(rand.IntN(sizes()[at])))
			return err
		})
	})
	for _, s := range stores {
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	into := func(active func(n int) int) func(b *testing.B, at int) {
		return func(b *testing.B, at int) {
			n := sizes()[at]
			costSends(b, stores[at].db.Engine().Path(), func() (skein.ID, string) {
				i := rand.IntN(active(n)) * (n / active(n))
				return convAt(i), clientAt(i)
			}, idByTime)
		}
	}
	curve(b, "send into 500 of them", "conversations", sizes(), into(func(int) int { return 500 }))
	curve(b, "send into any", "conversations", sizes(), into(func(n int) int { return n }))
}

// BenchmarkCurveInbox measures the sync of a client with few and with many conversations of
// which 3 changed: alone in its app, and while 20,000 conversations of others changed too.
func BenchmarkCurveInbox(b *testing.B) {
	mine := []int{50, 500, 5000}
	for _, beside := range []struct {
		work   string
		others int
	}{{"sync", 0}, {"sync, others changed too", 20_000}} {
		var returns []comeback
		for _, n := range mine {
			s := openBench(b)
			benchClient(b, s, "bob")
			benchGroups(b, s, "cat", beside.others, func(int) bool { return true })
			returns = append(returns, newComeback(b, s, n, func(g group) error {
				_, err := g.Move(`UPDATE conversations SET moved = ?1 WHERE conv_key IN (SELECT conv_key FROM members WHERE client_id = 'cat')`+tx.ReturningMoves, g.Stamp)
				return err
			}))
		}
		curve(b, beside.work, "conversations", mine, func(b *testing.B, at int) { returns[at].cost(b) })
	}
}

// comeback is a client that syncs with a cursor from before 3 of its conversations changed.
type comeback struct {
	store  *Store
	cursor skein.SyncCursor
}

const changedSince = 3

// newComeback gives alice that many conversations. All other events happen after her cursor too.
func newComeback(b *testing.B, s *Store, convs int, meanwhile ...func(group) error) comeback {
	b.Helper()
	mine := benchGroups(b, s, "alice", convs, func(int) bool { return true })
	c := comeback{s, syncToEnd(b, s, convs)}
	for _, happens := range meanwhile {
		if err := tx.Change(b.Context(), s.db, happens); err != nil {
			b.Fatal(err)
		}
	}
	for i := range changedSince {
		if _, _, err := s.Append(b.Context(), benchDraft(mine[i*convs/changedSince], "hi")); err != nil {
			b.Fatal(err)
		}
	}
	return c
}

func (c comeback) cost(b *testing.B) {
	costEach(b, "sync", func() error {
		page, err := c.store.Sync(b.Context(), "app", "alice", c.cursor, 100)
		if err == nil && (len(page.Views) != changedSince || !page.Done) {
			err = fmt.Errorf("a sync of %d conversations", len(page.Views))
		}
		return err
	})
}

// idByTime is a client_msg_id that begins with the time, so that those of one sender are
// neighbours in the index of retries.
func idByTime() string { return uuid.Must(uuid.NewV7()).String() }

// costSends stores messages of 100 bytes with a client_msg_id, 128 at once, until all of them
// were moved from the log into the file.
func costSends(b *testing.B, path string, to func() (conv skein.ID, sender string), clientMsgID func() string) {
	const sends, atOnce = 4096, 128
	s := openBenchAt(b, path)
	text := strings.Repeat("x", 100)
	cost(b, "message", sends, func() {
		var all sync.WaitGroup
		for range atOnce {
			all.Go(func() {
				for range sends / atOnce {
					conv, sender := to()
					d := benchDraft(conv, text)
					d.Sender, d.ClientMsgID = sender, clientMsgID()
					if _, _, err := s.Append(context.Background(), d); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
}

// aside returns a copy of a small store, because the sends would make the store larger. A large
// store is used itself.
func aside(b *testing.B, path string) string {
	b.Helper()
	const small = 100 << 20
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	if info.Size() > small {
		return path
	}
	stored, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	copied := filepath.Join(b.TempDir(), "skein.db")
	if err := os.WriteFile(copied, stored, 0o600); err != nil {
		b.Fatal(err)
	}
	return copied
}

// fillMessages stores n messages of 100 bytes from alice in a conversation, as sends with a
// client_msg_id would do. It uses few commits, because filling is not measured. The retry
// numbers spread over the whole range, as hashes do, but come in two sweeps in ascending order:
// the first fills the pages of their index and the second splits them, without jumping between
// pages.
func fillMessages(b *testing.B, s *Store, conv skein.ID, n int) {
	b.Helper()
	const chunk = 100_000
	for from := 1; from <= n; from += chunk {
		inOneCommit(b, s, func(g group) error {
			to := min(n, from+chunk-1)
			if err := g.Exec(`INSERT INTO messages (message_key, conv_key, seq, id, sender, client_msg_id, content_hash,
					type, status, flags, created, updated, url, text)
				WITH RECURSIVE n(i) AS (SELECT ?2 UNION ALL SELECT i + 1 FROM n WHERE i < ?3)
				SELECT i, conv_key, i, unhex(printf('%032x', i)), 'alice', lower(hex(randomblob(16))), randomblob(16), ?4, ?5, 0, i, 0, '', ?6
					FROM n, (SELECT conv_key FROM conversations WHERE id = ?1)`,
				conv, from, to, skein.TypeText, skein.StatusNormal, strings.Repeat("x", 100)); err != nil {
				return err
			}
			if err := g.Exec(`INSERT OR IGNORE INTO retries_0 (number, message_key)
				WITH RECURSIVE n(i) AS (SELECT ?2 UNION ALL SELECT i + 1 FROM n WHERE i < ?3)
				SELECT (conv_key << 32) + (2 * i % (?4 + 1) << 32) / (?4 + 1), i FROM n, (SELECT conv_key FROM conversations WHERE id = ?1)`,
				conv, from, to, n); err != nil {
				return err
			}
			return g.Exec(`UPDATE conversations SET last_seq = ?2 WHERE id = ?1`, conv, to)
		})
	}
}

// fillApp creates n clients, and n conversations, each of one client and the next.
func fillApp(b *testing.B, s *Store, n int) {
	b.Helper()
	const chunk = 100_000
	const numbers = `WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) `
	for from := 0; from < n; from += chunk {
		inOneCommit(b, s, func(g group) error {
			for _, sql := range []string{
				`INSERT INTO clients (app_key, id, created, updated, banned_until, ban_reason, cut) ` + numbers +
					`SELECT 1, printf('c%07d', i), i, 0, 0, '', 0 FROM n WHERE i < ?3`,
				`INSERT INTO conversations (conv_key, app_key, id, type, creator, member_count, last_seq, moved, created, updated, active, period, ttl, expires) ` + numbers +
					`SELECT i + 1, 1, unhex(printf('%032x', i)), 1, '', 2, 0, 1, i, 0, i, i >> 10, 0, 9007199254740991 FROM n WHERE i < ?3`,
				`INSERT INTO members (conv_key, app_key, client_id, role, joined, join_seq, muted_until, moved) ` + numbers +
					`SELECT i + 1, 1, printf('c%07d', (i + k.k) % ?3), 0, i, 1, 0, 1 FROM n, (SELECT 0 k UNION ALL SELECT 1) k WHERE i < ?3`,
			} {
				if err := g.Exec(sql, from, min(n, from+chunk)-1, n); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// reopen opens a store again, so that the measurement does not include moving the log of the
// filling.
func reopen(b *testing.B, s *Store) *Store {
	b.Helper()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return openBenchAt(b, s.db.Engine().Path())
}

// inOneCommit writes what the store has no method for, and clears the writer's memory.
func inOneCommit(b *testing.B, s *Store, fill func(group) error) {
	b.Helper()
	err := tx.Change(b.Context(), s.db, func(g group) error {
		g.Known.Clear()
		return fill(g)
	})
	if err != nil {
		b.Fatal(err)
	}
}

func clientAt(i int) string { return fmt.Sprintf("c%07d", i) }

func convAt(i int) (id skein.ID) {
	binary.BigEndian.PutUint64(id[8:], uint64(i))
	return id
}
