package e2e

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/testclient"
)

// lazy is a connection that asks for a login and reads nothing.
func (a *app) lazy(t *testing.T, client string) *testclient.Conn {
	t.Helper()
	c, err := dialConn(testclient.URL(a.s.Addr), testclient.Options{NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if tcp, ok := conn.(*net.TCPConn); ok {
			err = tcp.SetReadBuffer(64 << 10)
		}
		return conn, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Send([]byte(jsonOf(obj{"type": "login", "data": a.loginData(client, "lazy")}))); err != nil {
		t.Fatal(err)
	}
	return c
}

// A slow reader hurts itself alone: its queue is bounded, its socket is
// closed with 4508, nothing durable is lost, others see every message.
func TestSlowReaderHurtsItselfAlone(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := demoApp(s)
	const slowOnes, n = 10, 800
	sender, quick := a.user(t, "sender"), a.user(t, "quick")
	var slow []string
	for range slowOnes {
		slow = append(slow, a.user(t, "slow"))
	}
	conv := a.group(t, sender, append(slow, quick)...)
	var lazies []*testclient.Conn
	for _, id := range slow {
		lazies = append(lazies, a.lazy(t, id))
	}
	c, reader := a.login(t, sender, "d"), a.login(t, quick, "d")
	before := s.rss(t)
	text := long(12 << 10)
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := 0; i < n; {
			var ids []string
			for range 20 {
				id, err := c.Post("msg.send", obj{"conv_id": conv, "type": -1, "text": fmt.Sprint(i, " ", text), "no_sync": 0})
				if err != nil {
					t.Errorf("send: %v", err)
					return
				}
				ids = append(ids, id)
				i++
			}
			for _, id := range ids {
				f, err := c.take(patience, func(f *frame) bool { return f.ID != nil && *f.ID == id })
				if err != nil || f.Code != 0 {
					t.Errorf("send: %v %v", f, err)
					return
				}
			}
		}
	})
	sessions := make([]*socket, slowOnes)
	var catchingUp sync.WaitGroup
	catchingUp.Go(func() {
		// They wake up when the server has given up on them, and find out why. A peer
		// that sleeps on is cut without a word in the end.
		for s.metric(t, "skein_outbox_closed_total") < slowOnes && !t.Failed() {
			time.Sleep(10 * time.Millisecond)
		}
		for i, l := range lazies {
			// A wide window, so that what the kernel holds comes at once.
			if err := l.Net.(*net.TCPConn).SetReadBuffer(4 << 20); err != nil {
				t.Error(err)
			}
			sessions[i] = &socket{testclient.NewSession(l, nil)}
		}
	})
	for i := range n {
		if m := reader.expect(t, "msg.new").message(t); m.Seq != int64(i+1) {
			t.Fatalf("the quick reader: got seq %d, want %d", m.Seq, i+1)
		}
	}
	sending.Wait()
	catchingUp.Wait()
	// Each of the slow ones would hold 9 MiB.
	grown := s.peak(t) - before
	t.Logf("memory grew by %d MiB", grown>>20)
	if grown > slowOnes*7<<20 {
		t.Errorf("memory grew by %d MiB over %d slow readers, want a bounded queue each", grown>>20, slowOnes)
	}
	for i, l := range sessions {
		l.closed(t, 4508)
		got := 0
		for _, f := range l.Pending() {
			if f.Type == "msg.new" {
				got++
			}
		}
		if got >= n {
			t.Errorf("slow reader %d got all %d messages, want its queue cut", i, n)
		}
	}
	// What it has missed is in the history.
	if h := a.history(t, conv); len(h) != n {
		t.Errorf("history: got %d messages, want %d", len(h), n)
	}
	again := a.login(t, slow[0], "lazy")
	a.send(t, conv, sender, "welcome back")
	again.expectText(t, "welcome back")
}

// metric is a counter or gauge without labels of the admin address; -1 when it is
// not there.
func (s *server) metric(t *testing.T, name string) float64 {
	_, body := fetch(t, "http://"+s.Admin+"/metrics", nil)
	for line := range strings.Lines(string(body)) {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			if err != nil {
				t.Error(err)
			}
			return f
		}
	}
	return -1
}

// More than the server can do is answered 4290 or 5030, not queued without
// bound; what was acked is there, what was refused is not.
func TestOverloadIsAnswered(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := demoApp(s)
	one := a.user(t, "one")
	conv := a.group(t, one)
	const sockets, each = 16, 400
	acked, refused := make([]int, sockets), make([]int, sockets)
	var sending sync.WaitGroup
	for i := range sockets {
		from := a.user(t, "two")
		a.must(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{from}})
		c := a.login(t, from, "d")
		sending.Go(func() {
			defer c.Drop()
			key := unique("k")
			for n := range each { // nothing is read in between: the worst client
				if _, err := c.Post("msg.send", obj{"conv_id": conv, "type": -1, "text": "x", "client_msg_id": fmt.Sprint(key, n)}); err != nil {
					t.Errorf("send: %v", err)
					return
				}
			}
			for range each {
				f, err := c.take(patience, isAnswer)
				if err != nil {
					t.Errorf("an answer: %v", err)
					return
				}
				switch f.Code {
				case 0:
					acked[i]++
				case 4290, 5030:
					refused[i]++
				default:
					t.Errorf("got %s, want success, 4290 or 5030", f)
				}
			}
		})
	}
	sending.Wait()
	total, no := 0, 0
	for i := range sockets {
		total, no = total+acked[i], no+refused[i]
	}
	t.Logf("%d acked, %d refused", total, no)
	if h := a.history(t, conv); len(h) != total {
		t.Errorf("history: got %d messages, want the %d that were acked", len(h), total)
	}
}

// A client that asks for much and reads nothing must not make the server keep the
// answers: they are bounded as events are.
func TestUnreadAnswersAreBounded(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := demoApp(s)
	one := a.user(t, "one")
	conv := a.group(t, one)
	text := long(15 << 10)
	for i := range 200 {
		a.must(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": fmt.Sprint(i, " ", text)})
	}
	list := obj{"conv_id": conv, "after_seq": 0, "limit": 200} // 1 MiB an answer
	good := a.login(t, one, "good")
	if got := good.ask(t, "msg.list", list).want(t, "a big answer", 0); len(got.Raw) < 60*len(text) {
		t.Errorf("a big answer: got %d bytes, want about 1 MiB", len(got.Raw))
	}
	before := s.rss(t)
	for range 8 {
		id := a.user(t, "greedy")
		a.must(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{id}})
		c := a.lazy(t, id)
		for range 180 { // 180 MiB of answers for each
			if err := c.Send([]byte(jsonOf(obj{"type": "msg.list", "data": list}))); err != nil {
				break // closed, or no longer read: both are fine
			}
		}
	}
	// Others are served meanwhile.
	for range 20 {
		good.ask(t, "msg.list", obj{"conv_id": conv, "after_seq": 0, "limit": 1}).want(t, "a call beside", 0)
		a.send(t, conv, one, "beside")
	}
	grown := s.peak(t) - before
	t.Logf("memory grew by %d MiB", grown>>20)
	if grown > 512<<20 {
		t.Errorf("memory grew by %d MiB over 8 sockets that read no answers (1,440 MiB of them)", grown>>20)
	}
}
