package sqlite

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/skein-im/skein"
)

// The curves: what one piece of work costs at several sizes of what lies stored, of
// which docs/performance.md says that it must not grow. `make curves` runs them.

var large = flag.Bool("curve.large", false, "fill conversations of 10 million messages too, which takes minutes")

func sizes() []int {
	all := []int{1000, 100_000, 1_000_000}
	if *large {
		all = append(all, 10_000_000)
	}
	return all
}

// BenchmarkCurveConversation is one conversation of many messages: a send, with 128
// at once, and pages of 20.
func BenchmarkCurveConversation(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprintf("%d messages", n), func(b *testing.B) {
			s := openBench(b)
			conv := benchPairs(b, s, 1)[0]
			fillMessages(b, s, conv, n)
			s = reopen(b, s)
			curvePages(b, s, conv, n)
			here := func() (skein.ID, string) { return conv, "alice" }
			b.Run("send", func(b *testing.B) { benchSends(b, s, here, idByTime) })
			b.Run("send with ids at random", func(b *testing.B) { benchSends(b, s, here, uuid.NewString) })
		})
	}
}

func curvePages(b *testing.B, s *Store, conv skein.ID, n int) {
	const size = 20
	deep := func() skein.SeqRange { return skein.SeqRange{Limit: size, After: rand.Int64N(int64(n - size))} }
	page := func(number int) func() skein.SeqRange { // as the pages of msg.list are read
		return func() skein.SeqRange {
			return skein.SeqRange{Limit: size, Newest: true, Before: int64(n - (number-1)*size + 1)}
		}
	}
	b.Run("newest", func(b *testing.B) {
		benchPages(b, s, conv, func() skein.SeqRange { return skein.SeqRange{Limit: size, Newest: true} })
	})
	b.Run("deep", func(b *testing.B) { benchPages(b, s, conv, deep) })
	for number := 1; number*size <= n; number *= 10 {
		b.Run(fmt.Sprintf("page %d", number), func(b *testing.B) { benchPages(b, s, conv, page(number)) })
	}
	b.Run(fmt.Sprintf("page %d", n/size), func(b *testing.B) { benchPages(b, s, conv, page(n/size)) })
}

func benchPages(b *testing.B, s *Store, conv skein.ID, next func() skein.SeqRange) {
	benchCPU(b, func() error {
		page, err := s.Messages(b.Context(), "app", conv, next())
		if err == nil && len(page) != 20 {
			err = fmt.Errorf("a page of %d", len(page))
		}
		return err
	})
}

// BenchmarkCurveApp is an app of many clients, each in two conversations: sends into
// 500 of these and into any of them, a sync of a client with 50 of which 3 changed,
// and the read behind a login.
func BenchmarkCurveApp(b *testing.B) {
	for _, n := range sizes()[:3] {
		b.Run(fmt.Sprintf("%d conversations", n), func(b *testing.B) {
			s := openBench(b)
			fillApp(b, s, n)
			s = reopen(b, s)
			benchSync(b, s, 50, "sync")
			b.Run("login", func(b *testing.B) {
				benchCPU(b, func() error {
					_, err := s.Client(b.Context(), "app", clientAt(rand.IntN(n)))
					return err
				})
			})
			for _, active := range []int{500, n} {
				b.Run(fmt.Sprintf("send to %d", active), func(b *testing.B) {
					benchSends(b, s, func() (skein.ID, string) {
						i := rand.IntN(active) * (n / active)
						return convAt(i), clientAt(i)
					}, idByTime)
				})
			}
		})
	}
}

// BenchmarkCurveInbox is the sync of a client with few and with many conversations,
// of which 3 changed: alone in its app, and beside 20,000 of others' that changed.
func BenchmarkCurveInbox(b *testing.B) {
	for _, others := range []int{0, 20_000} {
		for _, mine := range []int{50, 5000} {
			s := openBench(b)
			benchClient(b, s, "bob")
			benchGroups(b, s, "cat", others, func(int) bool { return true })
			benchSync(b, s, mine, fmt.Sprintf("%d beside %d", mine, others), func() error {
				return s.change(b.Context(), func(g *group) error {
					_, err := g.move(`UPDATE conversations SET moved = ?1 WHERE conv_key IN (SELECT conv_key FROM members WHERE client_id = 'cat')`+returningMoves, g.stamp)
					return err
				})
			})
		}
	}
}

// benchSync measures the sync of a client with as many conversations, of which 3 have
// changed since its cursor, after what else happens meanwhile.
func benchSync(b *testing.B, s *Store, mine int, name string, meanwhile ...func() error) {
	b.Helper()
	const changed = 3
	convs := benchGroups(b, s, "alice", mine, func(int) bool { return true })
	before := syncToEnd(b, s, mine)
	for _, happen := range meanwhile {
		if err := happen(); err != nil {
			b.Fatal(err)
		}
	}
	for i := range changed {
		if _, _, err := s.Append(b.Context(), benchDraft(convs[i*mine/changed], "hi")); err != nil {
			b.Fatal(err)
		}
	}
	b.Run(name, func(b *testing.B) {
		benchCPU(b, func() error {
			page, err := s.Sync(b.Context(), "app", "alice", before, 100)
			if err == nil && (len(page.Views) != changed || !page.Done) {
				err = fmt.Errorf("a sync of %d conversations", len(page.Views))
			}
			return err
		})
	})
}

// benchCPU reports what a piece of work costs the process.
func benchCPU(b *testing.B, work func() error) {
	start := cpuTime(b)
	for b.Loop() {
		if err := work(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpuTime(b)-start).Microseconds())/float64(b.N), "cpu-µs/op")
}

// idByTime is a client_msg_id that begins with the time, so that those of one sender
// lie together in the index of retries.
func idByTime() string { return uuid.Must(uuid.NewV7()).String() }

// benchSends stores messages of 100 bytes with a client_msg_id, 128 at once.
func benchSends(b *testing.B, s *Store, to func() (conv skein.ID, sender string), clientMsgID func() string) {
	text := strings.Repeat("x", 100)
	var turn atomic.Int64
	start := cpuTime(b)
	var all sync.WaitGroup
	for range 128 {
		all.Go(func() {
			for turn.Add(1) <= int64(b.N) {
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
	b.ReportMetric(float64((cpuTime(b)-start).Microseconds())/float64(b.N), "cpu-µs/op")
}

// fillMessages gives a conversation n messages of 100 bytes of alice's, as sends with
// a client_msg_id would have: in few commits, since the sends are not what is measured.
func fillMessages(b *testing.B, s *Store, conv skein.ID, n int) {
	b.Helper()
	const chunk = 100_000
	for from := 1; from <= n; from += chunk {
		inOneCommit(b, s, func(g *group) error {
			to := min(n, from+chunk-1)
			if err := g.exec(`INSERT INTO messages (message_key, conv_key, seq, id, sender, client_msg_id, content_hash,
					type, status, flags, created, updated, url, text)
				WITH RECURSIVE n(i) AS (SELECT ?2 UNION ALL SELECT i + 1 FROM n WHERE i < ?3)
				SELECT i, (SELECT conv_key FROM conversations WHERE id = ?1), i, unhex(printf('%032x', i)), 'alice',
					lower(hex(randomblob(16))), randomblob(16), ?4, ?5, 0, i, 0, '', ?6 FROM n`,
				conv, from, to, skein.TypeText, skein.StatusNormal, strings.Repeat("x", 100)); err != nil {
				return err
			}
			return g.exec(`UPDATE conversations SET last_seq = ?2 WHERE id = ?1`, conv, to)
		})
	}
}

// fillApp makes n clients and n conversations, each of one client and the next.
func fillApp(b *testing.B, s *Store, n int) {
	b.Helper()
	const chunk = 100_000
	const numbers = `WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) `
	for from := 0; from < n; from += chunk {
		inOneCommit(b, s, func(g *group) error {
			for _, sql := range []string{
				`INSERT INTO clients (app_key, id, created, updated, banned_until, ban_reason, cut) ` + numbers +
					`SELECT 1, printf('c%07d', i), i, 0, 0, '', 0 FROM n WHERE i < ?3`,
				`INSERT INTO conversations (conv_key, app_key, id, type, creator, member_count, last_seq, moved, created, updated, active, ttl, expires) ` + numbers +
					`SELECT i + 1, 1, unhex(printf('%032x', i)), 1, '', 2, 0, 1, i, 0, i, 0, 9007199254740991 FROM n WHERE i < ?3`,
				`INSERT INTO members (conv_key, app_key, client_id, role, joined, join_seq, muted_until, moved) ` + numbers +
					`SELECT i + 1, 1, printf('c%07d', (i + k.k) % ?3), 0, i, 1, 0, 1 FROM n, (SELECT 0 k UNION ALL SELECT 1) k WHERE i < ?3`,
			} {
				if err := g.exec(sql, from, min(n, from+chunk)-1, n); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// reopen opens a store anew, so that moving what filled it out of the log is no part of
// what is measured.
func reopen(b *testing.B, s *Store) *Store {
	b.Helper()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return openBenchAt(b, s.writer.path)
}

// inOneCommit does what the store has no call for, and forgets what it knew.
func inOneCommit(b *testing.B, s *Store, fill func(*group) error) {
	b.Helper()
	err := s.change(b.Context(), func(g *group) error {
		g.known.clear()
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
