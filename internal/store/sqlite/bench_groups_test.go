package sqlite

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// BenchmarkCreateGroup creates groups of 500 clients who are already in many groups.
func BenchmarkCreateGroup(b *testing.B) {
	s := openBench(b)
	var members []skein.Member
	for i := range 500 {
		id := fmt.Sprintf("client%d", i)
		benchClient(b, s, id)
		members = append(members, skein.Member{Client: id})
	}
	start := cpuTime(b)
	for b.Loop() {
		conv := skein.Conversation{App: "app", ID: skein.ID(uuid.New()), Type: skein.Group, Created: 1}
		if _, _, err := s.CreateConversation(b.Context(), conv, members, store.MemberLimit{PerClient: 10_000}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpuTime(b)-start).Microseconds())/float64(b.N), "cpu-µs/op")
}
