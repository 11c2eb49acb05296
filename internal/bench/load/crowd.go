package load

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
)

// Crowd is the sockets of one phase: conversations, who speaks in them, who listens.
// It is gathered, started, settled and dispersed, once each.
type Crowd struct {
	Faults  ledger.Faults
	Convs   []*ledger.Conversation
	members []*member

	quota   *Quota
	paced   atomic.Pointer[time.Time] // when the first message of a pacer was due; set before it is sent
	answers atomic.Int64
	pushes  atomic.Int64
	broken  atomic.Bool // a socket was lost: what it waits for does not come
	leaving atomic.Bool
	OnPush  func(ledger.Message) // nil: nothing; called by many goroutines
	OnDone  func()               // nil: nothing; called when all has come to rest

	readers sync.WaitGroup
}

// member is a socket in a conversation.
type member struct {
	crowd *Crowd
	sock  *driver.Socket
	conv  *ledger.Conversation
	recv  *ledger.Receiver
	body  driver.Body

	// Of those who speak.
	who     uint32
	speaks  bool
	window  int    // how many may be under way; zero: whatever the pacer sends
	n       uint32 // of the next message; owned by the reader, or the pacer
	command []byte // likewise
}

// Listener adds a socket that is pushed what others say.
func (c *Crowd) Listener(s *driver.Socket, name string, conv *ledger.Conversation) {
	c.members = append(c.members, &member{crowd: c, sock: s, conv: conv, recv: ledger.NewReceiver(name, conv, ledger.NoSender)})
}

// Speaker adds a socket that speaks, too; who tells speakers apart.
func (c *Crowd) Speaker(s *driver.Socket, name string, conv *ledger.Conversation, who uint32, window int, b driver.Body) {
	m := &member{crowd: c, sock: s, conv: conv, recv: ledger.NewReceiver(name, conv, who), speaks: true, who: who, window: window, body: b}
	c.members = append(c.members, m)
}

// Start lets those with a window speak until the quota is over, and all listen.
func (c *Crowd) Start(q *Quota) error {
	c.quota = q
	for _, m := range c.members {
		for range m.window {
			m.say()
		}
		c.readers.Go(m.read)
	}
	for _, m := range c.members {
		if err := m.sock.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// say queues the next message, if there is to be one.
func (m *member) say() {
	if m.crowd.quota.take() {
		m.sock.Queue(m.next())
	}
}

func (m *member) next() []byte {
	m.command = m.body.AppendCommand(m.command[:0], m.who, m.n)
	m.n++
	return m.command
}

func (m *member) read() {
	err := m.sock.Loop(m.handle)
	if m.crowd.leaving.Load() && driver.ClosedByUs(err) {
		return
	}
	m.crowd.broken.Store(true)
	m.crowd.Faults.Addf("%s: a socket is over: %v", m.conv.ID(), err)
}

func (m *member) handle(frame []byte) {
	switch {
	case bytes.HasPrefix(frame, driver.Pushed):
		m.pushed(frame)
	case bytes.HasPrefix(frame, driver.Answered):
		m.answered(frame)
	case bytes.HasPrefix(frame, driver.Kicked), bytes.HasPrefix(frame, driver.Faultless), Refused(frame):
		m.crowd.broken.Store(true)
		m.crowd.Faults.Addf("%s: the server says %s", m.conv.ID(), frame)
	}
}

// Refused reports whether a frame is an error answer. The type of a frame is at its beginning.
func Refused(frame []byte) bool {
	return bytes.Contains(frame[:min(len(frame), 40)], driver.IsError)
}

func (m *member) pushed(frame []byte) {
	seq, msg, ok := driver.ParsePush(frame)
	if !ok {
		m.crowd.Faults.Addf("%s: a push of nothing that was sent: %s", m.conv.ID(), frame)
		return
	}
	m.recv.Got(seq, msg)
	m.crowd.pushes.Add(1)
	if m.crowd.OnPush != nil {
		m.crowd.OnPush(msg)
	}
}

func (m *member) answered(frame []byte) {
	seq, msg, ok := driver.ParseAnswer(frame, m.who)
	if !ok {
		m.crowd.Faults.Addf("%s: an answer without seq or id: %s", m.conv.ID(), frame)
		return
	}
	m.conv.Answered(seq, msg)
	m.crowd.answers.Add(1)
	if m.window > 0 {
		m.say()
	}
}

// pace sends at a fixed rate, one speaker after another, until the quota is over. A
// message that is due is sent whether or not the last was answered, and when the
// generator is late its message still counts from when it was due: dueAt. So a
// server that stands still is charged for all that should have been sent meanwhile.
func (c *Crowd) pace(ctx context.Context, q *Quota, speakers []*member, interval time.Duration) error {
	runtime.LockOSThread() // pause blocks it
	defer runtime.UnlockOSThread()
	start := time.Now()
	c.paced.Store(&start)
	for k := int64(0); q.take(); k++ {
		pause(time.Until(start.Add(time.Duration(k) * interval)))
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.broken.Load() {
			return nil // the faults say why
		}
		speaker := speakers[k%int64(len(speakers))]
		if err := speaker.sock.Send(speaker.next()); err != nil {
			return err
		}
	}
	return nil
}

// DueAt is when a speaker's nth message was due under pace, with speakers numbered
// from zero in their order.
func (c *Crowd) DueAt(m ledger.Message, speakers int, interval time.Duration) time.Time {
	return c.paced.Load().Add((time.Duration(m.N)*time.Duration(speakers) + time.Duration(m.Sender)) * interval)
}

// Settle waits until each message was answered and pushed, or cannot be any more.
// What is missing after that is for check to tell.
func (c *Crowd) Settle(ctx context.Context, q *Quota, patience time.Duration) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	var deadline time.Time
	for {
		switch {
		case c.broken.Load(), q.over() && c.answers.Load() == q.Taken.Load() && !c.behind():
			return nil
		case !q.over():
		case deadline.IsZero():
			deadline = time.Now().Add(patience)
		case time.Now().After(deadline):
			if open := q.Taken.Load() - c.answers.Load(); open > 0 {
				c.Faults.Addf("%d messages were not answered in %v", open, patience)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// behind says that somebody is due something.
func (c *Crowd) behind() bool {
	for _, m := range c.members {
		if m.recv.Behind() {
			return true
		}
	}
	return false
}

// HangUp ends what blocks on the sockets.
func (c *Crowd) HangUp() {
	c.leaving.Store(true)
	for _, m := range c.members {
		m.sock.Close()
	}
}

// Disperse closes the sockets and waits for their goroutines.
func (c *Crowd) Disperse() {
	c.HangUp()
	c.readers.Wait()
}

// Check holds what everybody got against the history, when it was read, and else
// against what was answered; it follows disperse.
func (c *Crowd) Check() (checked string) {
	for _, m := range c.members {
		m.recv.Done()
	}
	return fmt.Sprintf("each of %d answered messages is in the history once and in its place, each of %d pushes came once and in order",
		c.answers.Load(), c.pushes.Load())
}
