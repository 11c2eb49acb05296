package sqlite

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skein-im/skein"
)

// BenchmarkFeed reads 20,000 messages as the doorbell does and as a consumer does. It reports
// the cost of one message.
func BenchmarkFeed(b *testing.B) {
	const messages = 20_000
	for _, convs := range []int{500, 5000} {
		s := openBench(b)
		ids := benchPairs(b, s, convs)
		before, err := s.FeedEnd(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		appendAll(b, s, ids, messages)
		b.Run(fmt.Sprintf("doorbell, %d conversations", convs), func(b *testing.B) {
			b.ReportAllocs()
			start := cpuTime(b)
			for b.Loop() {
				for at := before; ; {
					_, next, err := s.Moved(b.Context(), at)
					if err != nil {
						b.Fatal(err)
					}
					if next == at {
						break
					}
					at = next
				}
			}
			b.ReportMetric(float64((cpuTime(b)-start).Nanoseconds())/float64(b.N)/messages, "cpu-ns/message")
		})
		b.Run(fmt.Sprintf("consumer, %d conversations", convs), func(b *testing.B) {
			b.ReportAllocs()
			start := cpuTime(b)
			for b.Loop() {
				for at := before; ; {
					_, next, err := s.Feed(b.Context(), at, 500)
					if err != nil {
						b.Fatal(err)
					}
					if next == at {
						break
					}
					at = next
				}
			}
			b.ReportMetric(float64((cpuTime(b)-start).Nanoseconds())/float64(b.N)/messages, "cpu-ns/message")
		})
	}
}

// appendAll stores n messages in the conversations in turn.
func appendAll(b *testing.B, s *Store, convs []skein.ID, n int64) {
	b.Helper()
	text := strings.Repeat("x", 100)
	var turn atomic.Int64
	var all sync.WaitGroup
	for range 512 {
		all.Go(func() {
			for i := turn.Add(1); i <= n; i = turn.Add(1) {
				if _, _, err := s.Append(context.Background(), benchDraft(convs[i%int64(len(convs))], text)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
