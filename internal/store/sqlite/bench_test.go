package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// BenchmarkAppend stores messages of 100 bytes in 500 private conversations at several levels of
// concurrency. cpu-µs/op is user and system time of the whole process, including the benchmark.
func BenchmarkAppend(b *testing.B) {
	for _, senders := range []int{1, 16, 128, 512} {
		b.Run(fmt.Sprintf("%d at once", senders), func(b *testing.B) {
			s := openBench(b)
			convs := benchPairs(b, s, 500)
			text := strings.Repeat("x", 100)
			var turn atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			start := cpuTime(b)
			var all sync.WaitGroup
			for range senders {
				all.Go(func() {
					for i := turn.Add(1); i <= int64(b.N); i = turn.Add(1) {
						d := benchDraft(convs[i%int64(len(convs))], text)
						d.ClientMsgID = d.ID.String()
						if _, _, err := s.Append(context.Background(), d); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64((cpuTime(b)-start).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// BenchmarkPage reads 20 messages of a conversation of 100,000.
func BenchmarkPage(b *testing.B) {
	s := openBench(b)
	conv := benchPairs(b, s, 1)[0]
	fill(b, s, conv, 100_000)
	for name, r := range map[string]skein.SeqRange{
		"newest": {Limit: 20, Newest: true},
		"deep":   {Limit: 20, After: 50_000},
		"seen":   {Limit: 20, After: 50_000, Viewer: "alice"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			start := cpuTime(b)
			for b.Loop() {
				page, err := s.Messages(b.Context(), "app", conv, r)
				if err != nil || len(page) != 20 {
					b.Fatal(len(page), err)
				}
			}
			b.ReportMetric(float64((cpuTime(b)-start).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// BenchmarkAudience reads the members of a pair and of a group of 1,000.
func BenchmarkAudience(b *testing.B) {
	for _, size := range []int{2, 1000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := openBench(b)
			var members []skein.Member
			for i := range size {
				id := fmt.Sprintf("client%d", i)
				benchClient(b, s, id)
				members = append(members, skein.Member{Client: id})
			}
			conv := skein.Conversation{App: "app", ID: skein.ID(uuid.New()), Type: skein.Group, Created: 1}
			if _, _, err := s.CreateConversation(b.Context(), conv, members, store.MemberLimit{}); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if all, _, err := s.Audience(b.Context(), "app", conv.ID, 0); err != nil || len(all) != size {
					b.Fatal(len(all), err)
				}
			}
		})
	}
}

func openBench(b *testing.B) *Store {
	b.Helper()
	s := openBenchAt(b, filepath.Join(b.TempDir(), "skein.db"))
	if err := s.CreateApp(b.Context(), skein.App{ID: "app"}); err != nil {
		b.Fatal(err)
	}
	return s
}

// openBenchAt opens the store at path until the benchmark ends.
func openBenchAt(b *testing.B, path string) *Store {
	b.Helper()
	s, err := Open(b.Context(), Options{Path: path})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

func benchClient(b *testing.B, s *Store, id string) {
	b.Helper()
	if _, _, err := s.CreateClient(b.Context(), skein.Client{App: "app", ID: id}); err != nil {
		b.Fatal(err)
	}
}

// benchPairs creates n private conversations of "alice" with others.
func benchPairs(b *testing.B, s *Store, n int) []skein.ID {
	b.Helper()
	benchClient(b, s, "alice")
	var ids []skein.ID
	for i := range n {
		other := fmt.Sprintf("other%d", i)
		benchClient(b, s, other)
		c := skein.Conversation{App: "app", ID: skein.ID(uuid.New()), Type: skein.Private, Created: 1}
		if _, _, err := s.CreateConversation(b.Context(), c, []skein.Member{{Client: "alice"}, {Client: other}}, store.MemberLimit{}); err != nil {
			b.Fatal(err)
		}
		ids = append(ids, c.ID)
	}
	return ids
}

func benchDraft(conv skein.ID, text string) skein.Draft {
	return skein.Draft{
		App:  "app",
		Need: skein.NeedMember,
		Message: skein.Message{
			ID:      skein.ID(uuid.Must(uuid.NewV7())),
			Conv:    conv,
			Sender:  "alice",
			Created: skein.MillisOf(time.Now()),
			Body:    skein.Body{Type: skein.TypeText, Text: text},
		},
	}
}

func fill(b *testing.B, s *Store, conv skein.ID, n int) {
	b.Helper()
	text := strings.Repeat("x", 100)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			for range n / 100 {
				if _, _, err := s.Append(context.Background(), benchDraft(conv, text)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
