package neighbours

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/load"
)

// attack is one way in which an app within its default limits, or a stranger, burdens a server.
type attack struct {
	name, about string
	handles     uint64 // files and sockets that the server may hold; zero: as many as this process
	// prepare creates what the attack needs; this is not measured. The flood runs until its
	// context ends.
	prepare func(context.Context, *loud) (flood, error)
}

type flood func(context.Context)

// loud is the app that attacks.
type loud struct {
	*load.Run

	data     string // directory of the server
	answered atomic.Int64
	refused  atomic.Int64
	crowd    *load.Quiet // sockets that listen; nil: none
}

// launch starts a flood; stop ends it.
func (l *loud) launch(ctx context.Context, f flood) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { f(ctx) })
	return func() { cancel(); running.Wait() }
}

// close ends the sockets that listen.
func (l *loud) close() {
	if l.crowd != nil {
		l.crowd.End()
	}
}

// size is how large something is made. A run with fewer clients makes it smaller.
func (l *loud) size(usual int) int {
	if l.Clients > 0 {
		return min(usual, l.Clients)
	}
	return usual
}

// book counts a call of the attack by its result.
func (l *loud) book(err error) {
	if err != nil {
		l.refused.Add(1)
		return
	}
	l.answered.Add(1)
}

// retreat is how long an attacker waits before it tries again after a failure.
const retreat = 50 * time.Millisecond

// repeat is a flood of calls, atOnce at a time. After a failure it waits a moment.
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
					if l.book(err); err != nil && driver.Wait(ctx, retreat) != nil {
						return
					}
				}
			})
		}
		callers.Wait()
	}
}

// hold is a flood that keeps n things open, and opens each again when the server closes it. open
// returns when the thing is closed.
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
					_ = driver.Wait(ctx, retreat) // or the end
				}
			})
		}
		held.Wait()
	}
}

// hear counts the answers that come on a socket until it is closed.
func (l *loud) hear(s *driver.Socket) {
	_ = s.Loop(func(frame []byte) { // the sender reports why it is closed
		switch {
		case load.Refused(frame):
			l.refused.Add(1)
		case bytes.Contains(frame[:min(len(frame), 40)], []byte(`.success"`)):
			l.answered.Add(1)
		}
	})
}

// talk has each client send n messages in a group of its own, as fast as answers come.
func (l *loud) talk(ctx context.Context, clients []string, n int) error {
	c := &load.Crowd{}
	for who, client := range clients {
		id, err := l.Conversation(ctx, load.TypeGroup, []string{client})
		if err != nil {
			return err
		}
		s, err := l.Host.Join(ctx, client)
		if err != nil {
			return err
		}
		conv := ledger.NewConversation(id, 0, &c.Faults)
		c.Speaker(s, client, conv, uint32(who), 16, l.Body(conv, l.Padding()))
	}
	defer c.Disperse()
	stop := context.AfterFunc(ctx, c.HangUp)
	defer stop()
	q := load.NewQuota(n*len(clients), l.Limit)
	if err := c.Start(q); err != nil {
		return err
	}
	if err := c.Settle(ctx, q, l.Patience); err != nil {
		return err
	}
	if faults := c.Faults.List(); len(faults) > 0 {
		return errors.New(faults[0])
	}
	return nil
}

// beginText begins a text message of these bytes and does not end it.
func beginText(s *driver.Socket, payload []byte) error {
	frame := ws.MaskFrameInPlace(ws.NewFrame(ws.OpText, false, payload))
	return ws.WriteFrame(s.Net, frame)
}
