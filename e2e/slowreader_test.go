package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/skein-im/skein/internal/testclient"
)

// The crowd: 1 % of it will not read.
const (
	crowdGroups = 20
	crowdMember = 100 // in each group, the first of whom is the slow one

	crowdPace = 200 * time.Millisecond // between the messages of a group
	crowdText = 15 << 10               // bytes of a message
	crowdTalk = 20                     // messages of a group in a measurement, at least
)

// Bounds of the test. One that is not reached by far on an idle machine is about
// noise: a p99 below the floor is as good as any.
const (
	latencyFloor = 20 * time.Millisecond
	memoryBound  = 64 << 20 // what the slow ones may add to the server: 20 outboxes of 256 KiB, and garbage
)

// SPEC 8.6: 1 % of 2,000 sockets never read; the others notice nothing, the memory
// is bounded, and the slow ones get everything when they come back.
func TestOthersDoNotNoticeSlowReaders(t *testing.T) {
	s := start(t)
	c := newCrowd(t, demoApp(s))
	var without, with time.Duration
	for range 3 { // the machine may have been busy with something else
		without = c.talk(t, nil)
		before := s.rss(t)
		closed := s.metric(t, "skein_outbox_closed_total")
		c.joinAndSleep(t)
		with = c.talk(t, func() bool {
			if grown := s.rss(t) - before; grown > memoryBound {
				t.Errorf("memory grew by %d MiB, want at most %d", grown>>20, memoryBound>>20)
			}
			return s.metric(t, "skein_outbox_closed_total") >= closed+crowdGroups
		})
		c.wantCutOff(t)
		c.wantCaughtUp(t)
		t.Logf("p99 %v without, %v with slow readers, %d messages a group, memory grew by %d MiB",
			without, with, c.said, (s.rss(t)-before)>>20)
		if max(with, latencyFloor) <= 2*max(without, latencyFloor) || t.Failed() {
			return
		}
	}
	t.Errorf("p99 with slow readers: got %v, want at most twice the %v without", with, without)
}

// crowd is groups of readers, and what was said to them.
type crowd struct {
	a     *app
	convs []string
	quick []*reader
	slow  []*reader // one a group, of this try
	said  int       // messages in each group

	mu      sync.Mutex
	samples []time.Duration // of the quick ones, of this talk; guarded by mu
	due     atomic.Int64    // deliveries to them that have not come yet
}

// reader is a socket that keeps nothing of what it reads but when it came.
type reader struct {
	*testclient.Conn

	id    string
	ended chan struct{}
	end   error // to be read after ended
}

func newCrowd(t *testing.T, a *app) *crowd {
	t.Helper()
	c := &crowd{a: a}
	var joining errgroup.Group
	joining.SetLimit(16)
	var mu sync.Mutex
	for g := range crowdGroups {
		for m := range crowdMember {
			if m == 0 {
				continue // the slow ones join for each try
			}
			joining.Go(func() error {
				r, err := c.dial(fmt.Sprintf("crowd%dx%d", g, m), &net.Dialer{})
				if err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				c.quick = append(c.quick, r)
				go r.loop(c.arrived)
				return nil
			})
		}
	}
	err := joining.Wait()
	t.Cleanup(func() {
		for _, r := range c.quick {
			r.Close()
			<-r.ended
		}
		for _, r := range c.slow {
			r.Close()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for g := range crowdGroups {
		var members []string
		for m := range crowdMember {
			members = append(members, fmt.Sprintf("crowd%dx%d", g, m))
		}
		a.must(t, "POST", "/im/users", obj{"client_id": members[0]})
		c.convs = append(c.convs, a.group(t, members[0], members...))
	}
	return c
}

// joinAndSleep brings the slow ones in, who read the answer to their login and no
// more. Their sockets take little, as over a network: frames of an Ethernet and a
// small window.
func (c *crowd) joinAndSleep(t *testing.T) {
	t.Helper()
	narrow := &net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		_ = raw.Control(func(fd uintptr) { // fails as the dial does
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 16<<10)
			if err == nil {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, 1400)
			}
		})
		return err
	}}
	c.slow = nil
	for g := range crowdGroups {
		r, err := c.dial(fmt.Sprintf("crowd%dx0", g), narrow)
		if err != nil {
			t.Fatal(err)
		}
		c.slow = append(c.slow, r)
	}
}

func (c *crowd) dial(id string, by *net.Dialer) (*reader, error) {
	conn, err := dialConn(testclient.URL(c.a.s.Addr), testclient.Options{NetDial: by.DialContext})
	if err != nil {
		return nil, err
	}
	_, err = conn.Ask("login", []byte(jsonOf(obj{"type": "login", "data": c.a.loginData(id, "crowd"), "id": "1"})), patience)
	return &reader{Conn: conn, id: id, ended: make(chan struct{})}, err
}

func (r *reader) loop(arrived func(frame []byte)) {
	defer close(r.ended)
	r.end = r.Loop(arrived)
}

// arrived books a message that one of the quick ones got. Its text begins with the
// time that it was sent at, between signs of our own.
func (c *crowd) arrived(frame []byte) {
	now := time.Now()
	_, rest, ok := bytes.Cut(frame, []byte("@@"))
	if !ok {
		return
	}
	at, _, _ := bytes.Cut(rest, []byte("@"))
	sent, err := strconv.ParseInt(string(at), 10, 64)
	if err != nil {
		return // never due, so talk says so
	}
	c.mu.Lock()
	c.samples = append(c.samples, now.Sub(time.Unix(0, sent)))
	c.mu.Unlock()
	c.due.Add(-1)
}

// talk says crowdTalk messages in each group, at a steady pace, and more until
// enough; it answers the p99 of their way to the quick ones.
func (c *crowd) talk(t *testing.T, enough func() bool) time.Duration {
	t.Helper()
	c.mu.Lock()
	c.samples = nil
	c.mu.Unlock()
	padding := long(crowdText)
	tick := time.NewTicker(crowdPace / crowdGroups)
	defer tick.Stop()
	var sending errgroup.Group
	for round := 0; round < crowdTalk || enough != nil && !enough(); round++ {
		if round > 10*crowdTalk {
			t.Fatalf("still not enough after %d messages a group", round)
		}
		for g, conv := range c.convs {
			<-tick.C
			c.due.Add(crowdMember - 2) // neither the slow one nor who sends it
			sending.Go(func() error {
				ans, err := c.a.s.try("POST", convPath(conv, "message"), c.a.server(), obj{
					"from_client": fmt.Sprintf("crowd%dx1", g), "type": -1,
					"text": fmt.Sprintf("@@%d@%s", time.Now().UnixNano(), padding),
				})
				if err == nil && ans.Code != 0 {
					err = fmt.Errorf("send: %s", ans)
				}
				return err
			})
		}
		c.said++
	}
	if err := sending.Wait(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "every message is with every quick reader", func() bool { return c.due.Load() == 0 })
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.Sort(c.samples)
	return c.samples[len(c.samples)*99/100]
}

// wantCutOff lets the slow ones read, and wants each to find that it was
// closed as too slow.
func (c *crowd) wantCutOff(t *testing.T) {
	t.Helper()
	for _, r := range c.slow {
		// A wide window, so that what the kernel holds comes at once.
		if err := r.Net.(*net.TCPConn).SetReadBuffer(4 << 20); err != nil {
			t.Error(err)
		}
		go r.loop(func([]byte) {})
	}
	for _, r := range c.slow {
		select {
		case <-r.ended:
		case <-time.After(patience):
			t.Fatalf("%s is still open", r.id)
		}
		if closed := (*testclient.CloseError)(nil); !errors.As(r.end, &closed) || closed.Code != 4508 {
			t.Errorf("%s: got %v, want close code 4508", r.id, r.end)
		}
		r.Close()
	}
}

// wantCaughtUp wants the slow ones to find in the history what they have missed.
func (c *crowd) wantCaughtUp(t *testing.T) {
	t.Helper()
	for g, conv := range c.convs {
		again := c.a.login(t, fmt.Sprintf("crowd%dx0", g), "crowd")
		seq := int64(0)
		for more := true; more; {
			var page struct {
				Data    []message `json:"data"`
				HasMore bool      `json:"has_more"`
			}
			again.ask(t, "msg.list", obj{"conv_id": conv, "after_seq": seq, "limit": 200}).want(t, "msg.list", 0).into(t, &page)
			for _, m := range page.Data {
				if seq++; m.Seq != seq {
					t.Fatalf("%s: got seq %d, want %d", again.Conn.Net.LocalAddr(), m.Seq, seq)
				}
			}
			more = page.HasMore && len(page.Data) > 0
		}
		if int(seq) != c.said {
			t.Errorf("group %d: a slow reader finds %d messages, want %d", g, seq, c.said)
		}
		again.Drop()
	}
}
