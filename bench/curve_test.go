package bench

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The curves of the built server: what one piece of work costs at several sizes of
// what is around it, of which docs/performance.md says that it must not grow. The
// curves of what lies stored are beside the engine. `make curves` runs both and reads
// their names: what is at work, what grows and how far.

// curve measures a piece of work at each size, and all of it again, so that what else
// the machine does meets all sizes alike.
func curve(b *testing.B, work, of string, sizes []int, measure func(b *testing.B, at int)) {
	b.Helper()
	repetitions := 5
	if testing.Short() {
		repetitions = 1
	}
	for range repetitions {
		for at, n := range sizes {
			b.Run(fmt.Sprintf("%s/%s=%d", work, of, n), func(b *testing.B) {
				measure(b, at)
				b.ReportMetric(0, "ns/op") // is none
			})
		}
	}
}

// BenchmarkCurveFanout is a message into a group of which 100 are online: all of
// them, or 100 of 10,000.
func BenchmarkCurveFanout(b *testing.B) {
	const online, messages, window = 100, 1000, 8
	sizes := []int{online, 1000, 10_000}
	var servers []*server
	var ids [][]string
	var convs []string
	for at, members := range sizes {
		s := start(b)
		ids = append(ids, s.users("f", members))
		servers, convs = append(servers, s), append(convs, s.group(ids[at]))
	}
	curve(b, "message to 100 online", "members", sizes, func(b *testing.B, at int) {
		s := servers[at]
		var crowd []*client
		for _, id := range ids[at][:online] {
			crowd = append(crowd, s.login(id)) // the one before has missed pings, and is kicked
		}
		var wg sync.WaitGroup
		before := s.cpu()
		for _, c := range crowd[1:] {
			wg.Go(func() { c.receive(messages) })
		}
		crowd[0].sendWindow(text(convs[at]), messages, window)
		wg.Wait()
		reportCPU(b, "message", s.cpu()-before, messages)
	})
}

func reportCPU(b *testing.B, unit string, spent time.Duration, n int) {
	b.ReportMetric(float64(spent.Nanoseconds())/1000/float64(n), "CPU-µs/"+unit)
}

// group makes a group of the clients, of whom the first is the owner.
func (s *server) group(clients []string) string {
	s.tb.Helper()
	const perCall = 500
	all := slices.Collect(slices.Chunk(clients, perCall))
	conv := s.conversation(3, all[0]...)
	for _, more := range all[1:] {
		s.call("POST", "/im/conversations/"+conv+"/members", map[string][]string{"client_ids": more}, nil)
	}
	return conv
}

// receive reads as many messages.
func (c *client) receive(n int) {
	for n > 0 {
		frame, err := c.Next()
		if err != nil {
			c.tb.Errorf("%d messages still to come: %v", n, err)
			return
		}
		if strings.HasPrefix(string(frame), `{"type":"msg.new"`) {
			n--
		}
	}
}

// BenchmarkCurveIdle is sockets that say nothing but answer pings: what they cost, and
// what a message of a pair costs beside them.
func BenchmarkCurveIdle(b *testing.B) {
	const heartbeat = 25 * time.Second // in which each socket is pinged once
	const messages, window = 10_000, 16
	sizes := []int{100, 1000, 10_000}
	var crowds []*idle
	for _, sockets := range sizes {
		crowds = append(crowds, newIdle(b, sockets))
	}

	// What a hundred cost is less than what a server costs without them.
	many, manySizes := crowds[1:], sizes[1:]
	spent := make([]time.Duration, len(many))
	curve(b, "heartbeat", "sockets", manySizes, func(b *testing.B, at int) {
		if at == 0 { // all are watched at once
			for i, c := range many {
				spent[i] = -c.server.cpu()
			}
			time.Sleep(heartbeat)
			for i, c := range many {
				spent[i] += c.server.cpu()
			}
		}
		reportCPU(b, "heartbeat", spent[at], manySizes[at])
	})
	curve(b, "message beside them", "sockets", sizes, func(b *testing.B, at int) {
		s := crowds[at].server
		writer, reader := s.login(crowds[at].pair[0]), s.login(crowds[at].pair[1])
		var read sync.WaitGroup
		before := s.cpu()
		read.Go(func() { reader.receive(messages) })
		writer.sendWindow(text(crowds[at].conv), messages, window)
		read.Wait()
		reportCPU(b, "message", s.cpu()-before, messages)
	})
	for _, c := range crowds {
		if n := c.over.Load(); n > 0 {
			b.Errorf("%d idle sockets are over", n)
		}
	}
}

// idle is a server with sockets that say nothing, and a pair that may.
type idle struct {
	server *server
	pair   []string
	conv   string
	over   atomic.Int32 // sockets that did not last
}

func newIdle(b *testing.B, sockets int) *idle {
	b.Helper()
	s := start(b)
	pair := s.users("p", 2)
	ids := s.users("i", sockets)
	c := &idle{server: s, pair: pair, conv: s.conversation(1, pair...)}
	var quiet sync.WaitGroup
	b.Cleanup(quiet.Wait) // after the sockets are closed, which is asked for later
	for _, id := range ids {
		socket := s.login(id)
		quiet.Go(func() {
			_, _ = socket.Next() // nothing comes but pings
			c.over.Add(1)
		})
	}
	return c
}
