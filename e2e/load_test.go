package e2e

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/testclient"
)

// attempt is one message that somebody tried to send.
type attempt struct {
	conv, from, id, text string
	retried              bool // sent again until it was acked

	acked bool
	msgID string
	seq   int64
}

// ledger remembers what was tried and what was acked, over restarts.
type ledger struct {
	acks    atomic.Int64
	refused atomic.Int64 // answers 5030
	padding string       // at the end of each text; set before the load
	ignore  atomic.Bool  // answers are ignored, as if none had come

	mu       sync.Mutex
	attempts map[string]*attempt // by client_msg_id; guarded by mu
	faults   []string            // guarded by mu
}

func newLedger() *ledger { return &ledger{attempts: map[string]*attempt{}} }

func (l *ledger) begin(conv, from string) *attempt {
	id := unique("m")
	a := &attempt{conv: conv, from: from, id: id, text: "text of " + id + l.padding}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attempts[id] = a
	return a
}

// settle books the answer to an attempt.
func (l *ledger) settle(at *attempt, a *answer) {
	if l.ignore.Load() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case a.Code == 5030: // refused: draining, or the disk does not take it
		l.refused.Add(1)
	case a.Code != 0:
		l.faults = append(l.faults, fmt.Sprintf("%s: %s", at.id, a))
	case at.acked && (at.msgID != a.text("msg_id") || at.seq != a.number("seq")):
		l.faults = append(l.faults, fmt.Sprintf("retry of %s: got %s, want msg_id %s, seq %d", at.id, a, at.msgID, at.seq))
	case !isHexID(a.text("msg_id")) || a.number("seq") < 1 || a.number("time") < 1:
		l.faults = append(l.faults, fmt.Sprintf("ack of %s: %s", at.id, a))
	case !at.acked:
		at.acked, at.msgID, at.seq = true, a.text("msg_id"), a.number("seq")
		l.acks.Add(1)
	}
}

func (l *ledger) fault(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, err.Error())
}

// counts are the attempts acked and not.
func (l *ledger) counts() (acked, open int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, at := range l.attempts {
		if at.acked {
			acked++
		} else {
			open++
		}
	}
	return acked, open
}

func (at *attempt) body() map[string]any {
	return map[string]any{"conv_id": at.conv, "from_client": at.from, "type": -1, "text": at.text, "client_msg_id": at.id}
}

// window is how many sends a socket has under way.
const window = 8

// bySocket sends from one socket, pipelined, until the socket ends.
func (l *ledger) bySocket(a *app, from, device string, convs []string) {
	c, ans, err := a.tryLogin("", from, device)
	if c != nil {
		defer c.Drop()
	}
	if err != nil {
		return // the server is gone already; the acks awaited say whether load was made
	}
	if ans.Code != 0 {
		l.fault(fmt.Errorf("login of %s: %s", from, ans))
		return
	}
	underWay := map[string]*attempt{}
	for i := 0; ; i++ {
		for len(underWay) < window {
			at := l.begin(convs[(i+len(underWay))%len(convs)], from)
			id, err := c.Post("msg.send", at.body())
			if err != nil {
				break // the answers that came are still in the inbox
			}
			underWay[id] = at
		}
		f, err := c.take(patience, func(f *frame) bool { return f.ID != nil && underWay[*f.ID] != nil })
		if errors.Is(err, testclient.ErrClosed) {
			return
		}
		if err != nil {
			l.fault(fmt.Errorf("answers of %s: %w", from, err))
			return
		}
		ans, err := readAnswer("msg.send", f)
		if err != nil {
			l.fault(err)
		}
		l.settle(underWay[*f.ID], ans)
		delete(underWay, *f.ID)
		if ans.Code == 5030 {
			time.Sleep(10 * time.Millisecond) // the server drains: be gentle
		}
		if i%64 == 0 {
			c.forgetPushes()
		}
	}
}

// byREST sends one message after another until the server is gone or stop is
// closed.
func (l *ledger) byREST(a *app, from string, convs []string, stop <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		at := l.begin(convs[i%len(convs)], from)
		ans, err := a.s.try("POST", convPath(at.conv, "message"), a.server(), at.body())
		if ans == nil {
			return // the connection broke: the server is gone
		}
		if err != nil {
			l.fault(err)
		}
		l.settle(at, ans)
		if ans.Code == 5030 {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// forgetPushes drops the pushes and keeps the answers.
func (c *socket) forgetPushes() {
	c.Forget(func(f *testclient.Frame) bool { return f.ID == nil })
}

// retry sends again half of what has no ack, and every tenth that has one.
func (l *ledger) retry(t *testing.T, a *app) {
	t.Helper()
	l.mu.Lock()
	var again []*attempt
	open, acked := 0, 0
	for _, at := range l.attempts {
		if at.acked {
			if acked++; acked%10 == 0 {
				again = append(again, at)
			}
		} else if open++; open%2 == 0 {
			at.retried = true
			again = append(again, at)
		}
	}
	l.mu.Unlock()
	for _, at := range again {
		l.settle(at, a.call(t, "POST", convPath(at.conv, "message"), at.body()))
	}
}

// check holds the histories against the ledger: dense, every acked message once
// with the msg_id and seq of its ack, the others at most once, nothing else.
func (l *ledger) check(t *testing.T, a *app, convs []string) {
	t.Helper()
	stored := map[string]message{}
	for _, conv := range convs {
		for _, m := range a.history(t, conv) {
			id := m.clientMsgID()
			if first, twice := stored[id]; twice {
				t.Errorf("client_msg_id %s is stored twice: %+v and %+v", id, first, m)
			}
			stored[id] = m
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.faults[:min(len(l.faults), 10)] {
		t.Error(f)
	}
	l.faults = nil
	for id, m := range stored {
		at := l.attempts[id]
		switch {
		case at == nil:
			t.Errorf("a message that nobody sent: %+v", m)
		case m.ConvID != at.conv || m.ClientID != at.from || m.text() != at.text:
			t.Errorf("message %s: got %+v, want %q of %s in %s", id, m, at.text, at.from, at.conv)
		case at.acked && (m.MsgID != at.msgID || m.Seq != at.seq):
			t.Errorf("message %s: stored as %s, seq %d; acked as %s, seq %d", id, m.MsgID, m.Seq, at.msgID, at.seq)
		}
	}
	lost := 0
	for id, at := range l.attempts {
		if _, there := stored[id]; !there && (at.acked || at.retried) {
			if lost++; lost <= 5 {
				t.Errorf("message %s was acked as seq %d of %s and is lost", id, at.seq, at.conv)
			}
		}
	}
	if lost > 0 {
		t.Errorf("%d acked messages are lost", lost)
	}
}

// heard is what a member who is online all the time gets live.
type heard struct {
	socket *socket
	ids    map[string]bool // client_msg_ids
}

func listen(t *testing.T, a *app, client string) *heard {
	t.Helper()
	return &heard{a.login(t, client, "listener"), map[string]bool{}}
}

// wantAcked wants it to be each message that was acked, and none that was not.
func (h *heard) wantAcked(t *testing.T, l *ledger) {
	t.Helper()
	for acked, _ := l.counts(); len(h.ids) < acked; {
		h.book(t, h.socket.expect(t, "msg.new"))
	}
	h.socket.ping(t)
	for _, f := range h.socket.pending() {
		h.book(t, f)
	}
	h.socket.forget()
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range h.ids {
		if at := l.attempts[id]; at == nil || !at.acked {
			t.Errorf("message %q was pushed and has no ack: %+v", id, at)
		}
	}
}

func (h *heard) book(t *testing.T, f *frame) {
	t.Helper()
	if f.Type != "msg.new" {
		return
	}
	if m := f.message(t); m.Seq > 0 { // a transient one is nobody's promise
		h.ids[m.clientMsgID()] = true
	}
}
