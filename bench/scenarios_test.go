package bench

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// The scenarios have the names of the table in docs/performance.md.

// BenchmarkPairs: 500 pairs; in each, one sends with a window of messages on their
// way and the other reads. A unit is a message: sent, stored, answered, pushed.
func BenchmarkPairs(b *testing.B) {
	for _, window := range []int{1, 16} {
		b.Run(fmt.Sprintf("window%d", window), func(b *testing.B) { pairs(b, 500, window) })
	}
}

func pairs(b *testing.B, n, window int) {
	s := start(b)
	ids := s.users("u", 2*n)
	type pair struct {
		from, to *client
		conv     string
	}
	all := make([]pair, n)
	for i := range all {
		conv := s.conversation(1, ids[2*i], ids[2*i+1])
		all[i] = pair{s.login(ids[2*i]), s.login(ids[2*i+1]), conv}
	}
	each := max(1, b.N/n)
	s.measure(b, "msg", each*n, func() {
		var wg sync.WaitGroup
		for _, p := range all {
			wg.Go(func() { p.from.sendWindow(text(p.conv), each, window) })
			wg.Go(func() { p.to.expect(pushed, each) })
		}
		wg.Wait()
	})
}

// sendWindow sends total commands with at most window unanswered.
func (c *client) sendWindow(command []byte, total, window int) {
	for sent, got := 0, 0; got < total; {
		for sent < total && sent-got < window {
			c.write(command)
			sent++
		}
		frame := c.read()
		if frame == nil {
			c.tb.Errorf("socket over after %d answers of %d", got, total)
			return
		}
		if bytes.HasPrefix(frame, answered) {
			got++
		} else if bytes.HasPrefix(frame, failed) {
			c.tb.Errorf("answer %d: %s", got, frame)
			return
		}
	}
}

// expect reads until n frames began with prefix.
func (c *client) expect(prefix []byte, n int) {
	for got := 0; got < n; {
		frame := c.read()
		if frame == nil {
			c.tb.Errorf("socket over after %d frames of %d", got, n)
			return
		}
		if bytes.HasPrefix(frame, prefix) {
			got++
		}
	}
}

// BenchmarkGroup: a group of 1,000 online, one sender. A unit is a delivery.
func BenchmarkGroup(b *testing.B) {
	const members = 1000
	s := start(b)
	ids := s.users("g", members)
	conv := s.conversation(3, ids[:500]...)
	s.call("POST", "/im/conversations/"+conv+"/members", clientIDs(ids[500:]))
	clients := make([]*client, members)
	for i, id := range ids {
		clients[i] = s.login(id)
	}
	drainUntil := max(1, b.N/(members-1))
	s.measure(b, "delivery", drainUntil*(members-1), func() {
		var wg sync.WaitGroup
		wg.Go(func() { clients[0].sendWindow(text(conv), drainUntil, 8) })
		for _, c := range clients[1:] {
			wg.Go(func() { c.expect(pushed, drainUntil) })
		}
		wg.Wait()
	})
}

func clientIDs(ids []string) string {
	var out bytes.Buffer
	for i, id := range ids {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "%q", id)
	}
	return `{"client_ids":[` + out.String() + `]}`
}

// BenchmarkLogin: a handshake and a login of a client that is known.
func BenchmarkLogin(b *testing.B) {
	s := start(b)
	ids := s.users("l", 1000)
	s.measure(b, "login", b.N, func() {
		for i := range b.N {
			_ = s.login(ids[i%len(ids)]).conn.Close()
		}
	})
}

// BenchmarkIdle: resident memory of a logged-in socket that says nothing.
func BenchmarkIdle(b *testing.B) {
	const sockets = 10_000
	s := start(b)
	ids := s.users("i", sockets)
	before := s.rss()
	clients := make([]*client, 0, sockets)
	for _, id := range ids {
		clients = append(clients, s.login(id))
	}
	after := s.rss()
	for b.Loop() {
	}
	b.ReportMetric(float64(after-before)/float64(len(clients)), "rss-B/socket")
}

// connections is how many ask at the same time: one alone would mostly measure what
// it costs to wake up for it.
const connections = 64

// BenchmarkREST: msg.send over keep-alive connections.
func BenchmarkREST(b *testing.B) {
	s := start(b)
	ids := s.users("r", 2)
	conv := s.conversation(1, ids...)
	s.measure(b, "msg", b.N, s.together(b.N, func() *httpSender { return s.dialREST(conv, ids[0]) }))
}

// together is work that sends n requests over all connections, which are open
// before it starts.
func (s *server) together(n int, dial func() *httpSender) (work func()) {
	senders := make([]*httpSender, connections)
	for i := range senders {
		senders[i] = dial()
	}
	return func() {
		var next atomic.Int64
		var wg sync.WaitGroup
		for _, sender := range senders {
			wg.Go(func() {
				for next.Add(1) <= int64(n) {
					sender.send()
				}
			})
		}
		wg.Wait()
	}
}

// BenchmarkHistory: pages of 20 of a conversation of 100,000.
func BenchmarkHistory(b *testing.B) {
	const stored = 100_000
	s := start(b)
	ids := s.users("h", 2)
	conv := s.conversation(1, ids...)
	writer := s.login(ids[0])
	writer.sendWindow(text(conv), stored, 64)
	for name, page := range map[string]int{"newest": 1, "deep": 4000} {
		b.Run(name, func(b *testing.B) {
			request := fmt.Sprintf("GET /im/conversations/%s/message?page=%d&size=20 HTTP/1.1\r\nHost: bench\r\napp-id: 666666\r\napp-key: master\r\n\r\n", conv, page)
			s.measure(b, "page", b.N, s.together(b.N, func() *httpSender { return s.dial(request) }))
		})
	}
}
