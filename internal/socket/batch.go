package socket

import (
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
)

// batch is commands of one name that came with one read. They are run and answered
// together: a peer that does not wait for each answer pays for one commit, not for
// one a message. It is bounded by what one read brings. Pooled: a socket without
// commands at hand owns none.
type batch struct {
	frames  []wire.Frame
	data    [][]byte
	out     []byte // the answers, one behind the other
	ends    []int  // of the answers in out
	answers [][]byte
}

var batches = sync.Pool{New: func() any { return new(batch) }}

func (b *batch) free() {
	if cap(b.out) > maxOutgoing {
		b.out = nil
	}
	clear(b.frames)
	clear(b.data)
	clear(b.answers)
	b.frames, b.data, b.out, b.ends, b.answers = b.frames[:0], b.data[:0], b.out[:0], b.ends[:0], b.answers[:0]
	batches.Put(b)
}

// gather keeps a command that is run with those like it behind it.
func (c *conn) gather(frame wire.Frame) (err error) {
	if c.batch != nil && c.batch.frames[0].Type != frame.Type {
		err = c.runBatch()
	}
	if c.batch == nil {
		c.batch = batches.Get().(*batch)
	}
	c.batch.frames = append(c.batch.frames, frame)
	c.batch.data = append(c.batch.data, frame.Data)
	return err
}

// runBatch runs what was gathered and answers it. Events that come meanwhile are
// held, so that the answers are before those the commands caused.
func (c *conn) runBatch() error {
	b := c.batch
	if b == nil {
		return nil
	}
	c.batch = nil
	defer b.free()
	if !c.session.Begin() {
		return errOver
	}
	outcomes, err := c.callAll(b)
	for i, frame := range b.frames {
		if err == nil {
			c.order.answered(frame, outcomes[i].Err, c.server.opts.Now())
			b.add(c, frame, outcomes[i].Answer, outcomes[i].Err)
		} else {
			b.add(c, frame, nil, err)
		}
	}
	c.session.Answer(b.split()...)
	return nil
}

// callAll calls the op; where it panics all of the batch fails.
func (c *conn) callAll(b *batch) (outcomes []ops.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return c.server.opts.Ops.CallAll(c.context(), c.actor(), b.frames[0].Type, b.data), nil
}

// add appends the answer to a command.
func (b *batch) add(c *conn, frame wire.Frame, answer []byte, err error) {
	b.out = c.appendAnswer(b.out, frame, answer, err)
	b.ends = append(b.ends, len(b.out))
}

// split are the answers.
func (b *batch) split() [][]byte {
	from := 0
	for _, end := range b.ends {
		b.answers = append(b.answers, b.out[from:end])
		from = end
	}
	return b.answers
}
