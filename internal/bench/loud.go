package bench

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"github.com/skein-im/skein/internal/bench/ledger"
)

// attack is the worst that an app within its default limits, or a stranger, does in
// one way.
type attack struct {
	name, about string
	handles     uint64 // files and sockets that the server may hold; zero: as many as this process
	// prepare makes what the attack needs, which is not measured; the flood goes on
	// until its context ends.
	prepare func(context.Context, *loud) (flood, error)
}

type flood func(context.Context)

// loud is the app that attacks.
type loud struct {
	*run

	data     string // directory of the server
	answered atomic.Int64
	refused  atomic.Int64
	crowd    *quiet // sockets that listen; nil: none
}

// launch starts a flood; what it answers ends it.
func (l *loud) launch(ctx context.Context, f flood) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { f(ctx) })
	return func() { cancel(); running.Wait() }
}

// close ends the sockets that listen.
func (l *loud) close() {
	if l.crowd != nil {
		l.crowd.end()
	}
}

// size is how large something is made; a run with fewer clients is a small one.
func (l *loud) size(usual int) int {
	if l.Clients > 0 {
		return min(usual, l.Clients)
	}
	return usual
}

// book counts what came of a call of the attack.
func (l *loud) book(err error) {
	if err != nil {
		l.refused.Add(1)
		return
	}
	l.answered.Add(1)
}

// retreat is how long an attacker waits before it comes back after it was cut off.
const retreat = 50 * time.Millisecond

// repeat is a flood of calls, some at a time; one that fails at once is not made
// again at once.
func (l *loud) repeat(atOnce int, call func(ctx context.Context, k int64) error) flood {
	return func(ctx context.Context) {
		var k atomic.Int64
		var callers sync.WaitGroup
		for range atOnce {
			callers.Go(func() {
				for ctx.Err() == nil {
					err := call(ctx, k.Add(1)-1)
					if ctx.Err() != nil {
						return
					}
					if l.book(err); err != nil && wait(ctx, retreat) != nil {
						return
					}
				}
			})
		}
		callers.Wait()
	}
}

// hold is a flood that keeps n things open and opens each anew when it is cut off.
// open returns when the thing is over.
func (l *loud) hold(n int, open func(ctx context.Context, k int) error) flood {
	return func(ctx context.Context) {
		var held sync.WaitGroup
		for k := range n {
			held.Go(func() {
				for ctx.Err() == nil {
					err := open(ctx, k)
					if ctx.Err() == nil {
						l.book(err)
					}
					_ = wait(ctx, retreat) // or the end
				}
			})
		}
		held.Wait()
	}
}

// hear books the answers that come on a socket until it is over.
func (l *loud) hear(s *socket) {
	_ = s.Loop(func(frame []byte) { // whoever sends on it says why it is over
		switch {
		case refused(frame):
			l.refused.Add(1)
		case bytes.Contains(frame[:min(len(frame), 40)], []byte(`.success"`)):
			l.answered.Add(1)
		}
	})
}

// talk lets clients say n messages each, each in a group of its own, as fast as it
// goes.
func (l *loud) talk(ctx context.Context, clients []string, n int) error {
	c := &crowd{}
	for who, client := range clients {
		id, err := l.conversation(ctx, typeGroup, []string{client})
		if err != nil {
			return err
		}
		s, err := l.host.join(ctx, client)
		if err != nil {
			return err
		}
		conv := ledger.NewConversation(id, 0, &c.faults)
		c.speaker(s, client, conv, uint32(who), 16, l.body(conv, l.padding()))
	}
	defer c.disperse()
	stop := context.AfterFunc(ctx, c.hangUp)
	defer stop()
	q := newQuota(n*len(clients), l.limit)
	if err := c.start(q); err != nil {
		return err
	}
	if err := c.settle(ctx, q, l.patience); err != nil {
		return err
	}
	if faults := c.faults.List(); len(faults) > 0 {
		return errors.New(faults[0])
	}
	return nil
}

// open begins a text message of these bytes and does not end it.
func (s *socket) open(payload []byte) error {
	frame := ws.MaskFrameInPlace(ws.NewFrame(ws.OpText, false, payload))
	return ws.WriteFrame(s.Net, frame)
}
