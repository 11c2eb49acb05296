package hub

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

// countingConn takes everything.
type countingConn struct{ frames atomic.Int64 }

func (c *countingConn) WriteFrames(frames [][]byte, _ func()) error {
	c.frames.Add(int64(len(frames)))
	return nil
}
func (c *countingConn) Ping(func()) error { return nil }
func (c *countingConn) Close(int, string) {}

func TestDeliverAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	h := New(Options{})
	defer func() { _ = h.Close(t.Context()) }()
	conn := new(countingConn)
	const devices = 8
	for i := range devices {
		attach(t, h, fmt.Sprint("d", i), i, conn)
	}
	frame := make([]byte, 300)
	allocs := testing.AllocsPerRun(1000, func() {
		before := conn.frames.Load()
		h.Deliver("shop", "Tom", frame, Except{})
		for conn.frames.Load() < before+devices {
			time.Sleep(time.Microsecond) // lets the writers run: written is delivered
		}
	})
	if allocs >= 1 {
		t.Errorf("%v allocations for a delivery to %d sessions, want none", allocs, devices)
	}
}

func BenchmarkDeliverToThousandSessions(b *testing.B) {
	h := New(Options{})
	defer func() { _ = h.Close(b.Context()) }()
	conn := new(countingConn)
	const sessions = 1000
	clients := make([]string, sessions)
	for i := range clients {
		clients[i] = fmt.Sprint("client", i)
		attachLogin(b, h, Login{App: "shop", Client: clients[i], ID: sessionID(i), Conn: conn})
	}
	frame := make([]byte, 300)
	b.ReportAllocs()
	start := conn.frames.Load()
	for b.Loop() {
		for _, client := range clients {
			h.Deliver("shop", client, frame, Except{})
		}
	}
	for conn.frames.Load() < start+int64(b.N)*sessions {
		time.Sleep(time.Microsecond)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*sessions), "ns/delivery")
}

// BenchmarkMayHave is a group of 10,000 of whom nobody is here, beside 10,000 others
// who are: what the absent cost.
func BenchmarkMayHave(b *testing.B) {
	h := New(Options{})
	defer func() { _ = h.Close(b.Context()) }()
	conn := new(countingConn)
	const here, members = 10_000, 10_000
	for i := range here {
		attachLogin(b, h, Login{App: "shop", Client: fmt.Sprint("here", i), ID: sessionID(i), Conn: conn})
	}
	all := make([]skein.Listener, members)
	for i := range all {
		all[i] = skein.NewListener(fmt.Sprint("absent", i), 1)
	}
	b.ReportAllocs()
	found := 0
	for b.Loop() {
		for i := range all {
			if h.MayHave(all[i].Mark) {
				found++
			}
		}
	}
	if found > b.N*members/10 {
		b.Errorf("of %d absent %d were taken to be here", b.N*members, found)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*members), "ns/client")
}
